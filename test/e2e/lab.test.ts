import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fedfleet } from "#test/integration/command.ts";
import { inChromium, launchBrowser, SERVER_AWAY, type Watch, watchContext, whyNoBrowser } from "./browser.ts";
import { exportsOf } from "./exports.ts";
import { expectedTable, type RecordedRun, recordedRuns, recordedStatus, tableOf } from "./figures.ts";
import { type ServedLab, serveLab } from "./served-lab.ts";
import { until } from "./until.ts";

/** A newcomer's way from an empty lab to the table of a paper, by clicks alone; each test goes on where the last ended. */
describe.skipIf(whyNoBrowser !== undefined)(
  inChromium("from an empty lab to a table, by clicks alone"),
  { timeout: 600_000 },
  () => {
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let watch: Watch;
    let lab: ServedLab;
    let demo = "";
    let own = "";
    beforeAll(async () => {
      browser = await launchBrowser();
      lab = await serveLab();
      context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      context.setDefaultTimeout(20_000);
      watch = watchContext(context);
      page = await context.newPage();
      await page.goto(lab.url);
    });
    afterAll(async () => {
      await browser?.close();
      await lab?.remove();
    });

    const click = (name: string | RegExp, exact = true) =>
      page.getByRole("button", { name, ...(typeof name === "string" ? { exact } : {}) }).click();
    const goTo = (name: string) =>
      page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true }).click();
    /** The pill below the title: a mark, and this word. */
    const state = (word: string) => page.locator("header").getByText(new RegExp(`^\\W?${word}$`));
    /** Of the page's study, which has a page of its own by now. */
    const studyOnPage = async (): Promise<string> => {
      await page.waitForURL(/#\/studies\/s-/);
      return page.url().split("/").at(-1)!;
    };
    const roundsOnRecord = (study: string): number =>
      recordedRuns(lab.dataDir, study).reduce((sum, run) => sum + run.points.length, 0);
    const rowsShown = async (): Promise<readonly string[][]> =>
      (await tableOf(page, /^Accuracy \(%\) per round/)).slice(1);

    test("the demo: its curves grow while it runs, and end as the database has them", async () => {
      await page.getByText("No studies yet").waitFor();
      await click("Run the demo");
      demo = await studyOnPage();
      await click("Show as table");
      // What is seen on the way: rounds of the first algorithm, later of the second as well.
      const seen: string[] = [];
      await until(
        "the demo is done",
        async () => {
          const rows = await rowsShown();
          const filled = rows.map((row) => row.slice(1).filter((text) => text !== "–").length);
          const sight = `${rows.length} rows, ${filled.reduce((sum, n) => sum + n, 0)} points`;
          if (seen.at(-1) !== sight) seen.push(sight);
          return await state("Done").isVisible();
        },
        400_000,
      );
      // 2 × 9 points one after the other; a fast computer may show two at once, but never all.
      expect(seen.length).toBeGreaterThan(8);
      const runs = recordedRuns(lab.dataDir, demo);
      expect(runs.map(({ algorithm }) => algorithm)).toEqual(["fedavg", "fedntd"]);
      for (const run of runs)
        expect(run.points.map(({ round }) => round)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      expect(await rowsShown()).toEqual(expectedTable(runs, "accuracy"));
      expect(await page.locator(".recharts-line-curve").count()).toBe(2);
      expect(watch.problems).toEqual([]);
    });

    test("own virtual devices on the fleet's page", async () => {
      await goTo("Fleet");
      // The demo's own devices were taken away with it: whatever they left is history.
      // an empty fleet invites in its own words
      const invited = page.getByRole("button", { name: "Add custom virtual devices" });
      const addVirtual = async () => {
        await click("Add device");
        await page.getByRole("menuitem", { name: /^Virtual devices/ }).click();
      };
      await page.getByRole("button", { name: /^(Add device|Add custom virtual devices)$/ }).waitFor();
      if (await invited.isVisible()) await invited.click();
      else await addVirtual();
      const dialog = page.getByRole("dialog", { name: "Add virtual devices" });
      await dialog.getByLabel("Devices").fill("3");
      await dialog.getByLabel("Name").fill("desk");
      await dialog.getByRole("button", { name: "Add 3 devices" }).click();
      await dialog.waitFor({ state: "hidden" });
      await addVirtual();
      await dialog.getByLabel("Devices").fill("2");
      await dialog.getByLabel("Name").fill("attic");
      await dialog.getByLabel("Slowdown").fill("2");
      await dialog.getByRole("button", { name: "Add 2 devices" }).click();
      await dialog.waitFor({ state: "hidden" });
      for (const name of ["desk-1", "desk-2", "desk-3", "attic-1", "attic-2"]) {
        await page.getByRole("row").filter({ hasText: name }).first().waitFor();
      }
      expect(watch.problems).toEqual([]);
    });

    test("an own study with these devices, from the form", async () => {
      await goTo("Studies");
      await click("New study");
      await click(/^Quick look/);
      await page.getByRole("textbox", { name: "Name", exact: true }).first().fill("my own study");
      await page.getByRole("combobox", { name: "Virtual devices" }).selectOption("groups");
      await click("Use the whole fleet (5 devices)");
      await page.getByRole("textbox", { name: "Rounds", exact: true }).fill("12");
      await page.getByRole("textbox", { name: /^Share drawn/ }).fill("0.6");
      await page.getByText("5 devices").first().waitFor();
      await click("Start study");
      own = await studyOnPage();
      await page.getByRole("heading", { level: 1, name: "my own study" }).waitFor();
      await click("Show as table");
      await until("the first rounds", async () => (await rowsShown()).length >= 3);
      expect(watch.problems).toEqual([]);
    });

    test("paused, no round begins; then it goes on", async () => {
      await click("Pause");
      await state("Paused").waitFor({ timeout: 30_000 });
      const paused = roundsOnRecord(own);
      await new Promise((resolve) => setTimeout(resolve, 4000));
      expect(roundsOnRecord(own)).toBe(paused);
      expect((await rowsShown()).length).toBe(paused);
      await state("Paused").waitFor();
      await click("Resume");
      await until("a round after the pause", async () => (await rowsShown()).length > paused);
      expect(watch.problems).toEqual([]);
    });

    test("its process is killed in the middle; started again, the study goes on at a click, on the same curve", async () => {
      watch.tolerate(SERVER_AWAY);
      await until("five rounds", async () => roundsOnRecord(own) >= 6);
      await lab.kill();
      const before = recordedRuns(lab.dataDir, own);
      expect(recordedStatus(lab.dataDir, own)).toBe("running");
      await page.getByText("The lab has not answered").waitFor({ timeout: 20_000 });
      lab = await lab.again();
      // The page that stayed open is not known to the new process, and says so.
      await page.getByText("The lab has restarted").waitFor({ timeout: 20_000 });
      await page.goto(lab.url);
      const row = page.getByRole("row").filter({ hasText: "my own study" });
      await row.getByText(/Stopped/).waitFor();
      await row.getByRole("link", { name: "my own study" }).click();
      await click("Resume");
      await state("Done").waitFor({ timeout: 400_000 });
      const after = recordedRuns(lab.dataDir, own);
      for (const [i, run] of after.entries()) {
        expect(run.points.map(({ round }) => round)).toEqual(Array.from({ length: 13 }, (_, r) => r));
        const kept = before[i]!.points;
        expect(run.points.slice(0, kept.length)).toEqual(kept);
      }
      await click("Show as table");
      expect(await rowsShown()).toEqual(expectedTable(after, "accuracy"));
      expect(watch.problems).toEqual([]);
    });

    test("one study, exported in every format, as the command line exports it", async () => {
      await click("Compare and export");
      await page.waitForURL(/#\/compare/);
      const files = await exportsOf(page);
      for (const format of ["csv", "rounds-csv", "markdown", "latex", "text", "json"]) {
        const { stdout } = await fedfleet(["export", own, "--format", format, "--data-dir", lab.dataDir]);
        expect(files.get(format)?.toString("utf8"), format).toBe(stdout);
      }
      expect(watch.problems).toEqual([]);
    });

    test("both studies compared: table and files have the database's figures", async () => {
      await goTo("Compare");
      await page.getByLabel("my own study", { exact: true }).check();
      await page.getByLabel(/^demo-fedavg-vs-fedntd/).check();
      await click("Compare");
      await page.waitForURL(/studies=/);
      const runs = [...recordedRuns(lab.dataDir, demo), ...recordedRuns(lab.dataDir, own)];
      const table = await page
        .getByRole("region", { name: "Result", exact: true })
        .getByRole("table")
        .textContent();
      for (const run of runs) expect(table).toContain((last(run) * 100).toFixed(2));
      const files = await exportsOf(page);
      for (const format of ["csv", "markdown", "latex", "text"]) {
        const text = files.get(format)!.toString("utf8");
        for (const run of runs) expect(text, format).toContain((last(run) * 100).toFixed(2));
      }
      const figures = JSON.stringify(JSON.parse(files.get("json")!.toString("utf8")));
      for (const run of runs) expect(figures).toContain(String(last(run)));
      const rounds = recordsOf(files.get("rounds-csv")!.toString("utf8"));
      const exported = rounds.map((r) => [
        r.study,
        r.algorithm,
        Number(r.round),
        Number(r.accuracy),
        Number(r.loss),
      ]);
      const recorded = [demo, own].flatMap((study) =>
        recordedRuns(lab.dataDir, study).flatMap(({ algorithm, points }) =>
          points.map(({ round, accuracy, loss }) => [study, algorithm, round, accuracy, loss]),
        ),
      );
      expect(exported.toSorted()).toEqual(recorded.toSorted());
      expect(files.get("xlsx")!.subarray(0, 2).toString()).toBe("PK");
      const svg = files.get("svg")!.toString("utf8");
      expect(svg).toMatch(/^<svg|^<\?xml/);
      expect(svg).toContain("fedntd");
      // The header of a PNG, its width and height: twice what the drawing measures, or more.
      const png = files.get("png")!;
      expect(png.subarray(1, 4).toString()).toBe("PNG");
      expect(png.readUInt32BE(16)).toBeGreaterThan(1000);
      expect(watch.problems).toEqual([]);
    });
  },
);

const last = (run: RecordedRun): number => run.points.at(-1)!.accuracy!;

/** Records of a CSV file without quoted fields. */
const recordsOf = (text: string): readonly Readonly<Record<string, string>>[] => {
  const [head = "", ...lines] = text.trim().split("\r\n");
  const names = head.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((value, i) => [names[i], value])));
};
