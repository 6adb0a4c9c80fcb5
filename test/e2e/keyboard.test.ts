import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inChromium, launchBrowser, type Watch, watchContext, whyNoBrowser } from "./browser.ts";
import { recordedRuns } from "./figures.ts";
import { type ServedLab, serveLab } from "./served-lab.ts";
import { until } from "./until.ts";

/** What has the focus: its name, and how the page shows that it is there. */
interface Stop {
  readonly name: string;
  readonly outlined: boolean;
  readonly inView: boolean;
}

/** Evaluated in the page. */
const STOP = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return { name: "", outlined: true, inView: true };
  const labelled = element.getAttribute("aria-labelledby") ?? "";
  const name = element.getAttribute("aria-label") ??
    (labelled === "" ? undefined : document.getElementById(labelled)?.textContent) ??
    element.labels?.[0]?.textContent ?? element.textContent ?? "";
  // A radio of a segmented control is shown by its label.
  const shown = [element, ...(element.labels ?? []), element.nextElementSibling].filter((e) => e !== null);
  const outlined = shown.some((e) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(e);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  });
  const box = (shown[1] ?? element).getBoundingClientRect();
  const inView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { name: name.trim().replace(/\\s+/g, " "), outlined, inView };
})()`;

const IN_DIALOG = `document.querySelector("[role=dialog]").contains(document.activeElement)`;

describe.skipIf(whyNoBrowser !== undefined)(inChromium("the demo by keyboard alone"), () => {
  let browser: Browser;
  let page: Page;
  let watch: Watch;
  let lab: ServedLab;
  beforeAll(async () => {
    browser = await launchBrowser();
    lab = await serveLab();
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(20_000);
    watch = watchContext(context);
    page = await context.newPage();
    await page.goto(lab.url);
  });
  afterAll(async () => {
    await browser?.close();
    await lab?.remove();
  });

  const hidden: string[] = [];
  const stop = async (): Promise<Stop> => {
    const found = (await page.evaluate(STOP)) as Stop;
    if (found.name !== "" && !found.outlined) hidden.push(`no outline: ${found.name}`);
    if (found.name !== "" && !found.inView) hidden.push(`out of sight: ${found.name}`);
    return found;
  };
  /** Tabs on until the focus is on what has this name; the way there is looked at as well. */
  const tabTo = async (name: string | RegExp, key = "Tab"): Promise<void> => {
    const passed: string[] = [];
    for (let i = 0; i < 80; i += 1) {
      await page.keyboard.press(key);
      const { name: here } = await stop();
      if (typeof name === "string" ? here === name : name.test(here)) return;
      passed.push(here);
    }
    throw new Error(`Tab never comes to ${name}; it passes ${[...new Set(passed)].join(" | ")}`);
  };
  const press = async (name: string | RegExp): Promise<void> => {
    await tabTo(name);
    await page.keyboard.press("Enter");
  };
  /** The pill below the title: a mark, and this word. */
  const state = (word: string) => page.locator("header").getByText(new RegExp(`^\\W?${word}$`));

  test("started, watched, paused, resumed, compared, copied and saved", async () => {
    await page.getByText("No studies yet").waitFor();
    // The first stop leads past the navigation.
    await page.keyboard.press("Tab");
    expect((await stop()).name).toBe("Skip to content");
    await page.keyboard.press("Enter");
    await press("Run the demo");
    await page.waitForURL(/#\/studies\/s-/);
    const study = page.url().split("/").at(-1)!;
    // The new page's title has the focus: the way goes on from there, not from the top.
    await until("the title has the focus", async () => (await stop()).name === "demo-fedavg-vs-fedntd");

    await until("it runs", () => state("Running").isVisible());
    await press("Show as table");
    const table = page.getByRole("table", { name: /^Accuracy \(%\) per round/ });
    await until("two rounds", async () => (await table.getByRole("row").count()) > 2);
    await press("Pause");
    await state("Paused").waitFor({ timeout: 30_000 });
    await press("Resume");
    await until("it runs again", () => state("Running").isVisible());
    // The arrows choose between the chart's measures.
    await tabTo(/^Accuracy$/);
    await page.keyboard.press("ArrowRight");
    await page.getByRole("table", { name: /^Loss \(nats\) per round/ }).waitFor();
    await stop();
    await state("Done").waitFor({ timeout: 400_000 });

    await press("Compare and export");
    await page.waitForURL(/#\/compare/);
    await page.getByRole("region", { name: "Result", exact: true }).getByRole("table").waitFor();
    await press("Export");
    const dialog = page.getByRole("dialog", { name: "Export" });
    await dialog.waitFor();
    await press("Markdown");
    await dialog.getByLabel("Preview, Markdown").locator("pre").waitFor();
    const shown = (await dialog.locator("pre").textContent()) ?? "";
    await press("Copy");
    await page.getByText("Markdown copied.").waitFor();
    const copied = String(await page.evaluate("navigator.clipboard.readText()"));
    expect(copied.startsWith(shown)).toBe(true);
    for (const { points } of recordedRuns(lab.dataDir, study)) {
      expect(copied).toContain((points.at(-1)!.accuracy! * 100).toFixed(2));
    }
    const [download] = await Promise.all([page.waitForEvent("download"), press("Save")]);
    expect(await readFile(await download.path(), "utf8")).toBe(copied);
    // The focus stays within the dialog, and goes back to where it came from.
    for (let i = 0; i < 20; i += 1) {
      await page.keyboard.press("Tab");
      expect(await page.evaluate(IN_DIALOG)).toBe(true);
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await until("the focus is on Export again", async () => (await stop()).name === "Export");
    expect([...new Set(hidden)]).toEqual([]);
    expect(watch.problems).toEqual([]);
  }, 600_000);
});
