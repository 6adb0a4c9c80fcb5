/**
 * Screenshots of every page of a lab in which something happens: `node test/e2e/screenshots.ts`. The whole set, light and
 * dark, at 1280×800 and 1600×1000, goes to out/screenshots/; the README's to resources/screenshots/.
 */
import { copyFileSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { launchBrowser, watchContext } from "./browser.ts";
import { fillLab } from "./full-lab.ts";
import { openRoute, type PageRoute, routesOf } from "./routes.ts";
import { addScreenshotBoards, askForFingerprint, type ScreenshotBoards } from "./screenshot-boards.ts";
import { type ServedLab, serveLab } from "./served-lab.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ALL = join(ROOT, "out", "screenshots");
const README = join(ROOT, "resources", "screenshots");
const IN_README = [
  "study-running",
  "studies",
  "new-study",
  "fleet",
  "device",
  "board",
  "add-board",
  "compare",
  "export",
  "data",
  "data-set",
  "settings",
];
const README_BYTES = 200_000;

const SIZES = [
  { width: 1280, height: 800 },
  { width: 1600, height: 1000 },
] as const;
const THEMES = ["light", "dark"] as const;

const takeAll = async (
  browser: Browser,
  lab: ServedLab,
  routes: readonly PageRoute[],
  boards?: ScreenshotBoards,
): Promise<readonly string[]> => {
  const problems: string[] = [];
  for (const viewport of SIZES) {
    for (const theme of THEMES) {
      const context = await browser.newContext({ colorScheme: theme, viewport, reducedMotion: "reduce" });
      const watch = watchContext(context);
      const page = await context.newPage();
      await page.goto(lab.url);
      for (const { name, path } of routes) {
        await openRoute(page, lab.origin, path);
        // The title has the focus after a change of page, and its outline would be on every screenshot.
        await page.evaluate("document.activeElement?.blur()");
        const file = `${name}-${theme}-${viewport.width}x${viewport.height}.png`;
        await page.screenshot({ path: join(ALL, file), animations: "disabled", caret: "hide" });
      }
      if (boards !== undefined) {
        await askForFingerprint(page, lab.origin, boards.stranger);
        const file = `add-board-${theme}-${viewport.width}x${viewport.height}.png`;
        await page.screenshot({ path: join(ALL, file), animations: "disabled", caret: "hide" });
      }
      problems.push(...watch.problems);
      await context.close();
    }
  }
  return problems;
};

rmSync(ALL, { recursive: true, force: true });
mkdirSync(ALL, { recursive: true });
mkdirSync(README, { recursive: true });
const browser = await launchBrowser();
const lab = await serveLab();
let boards: ScreenshotBoards | undefined;
try {
  const problems = [...(await takeAll(browser, lab, [{ name: "studies-empty", path: "/" }]))];
  console.log("Filling a lab: the demo and a study of three trials. A minute or two.");
  boards = await addScreenshotBoards(lab);
  const full = await fillLab(lab, boards?.names);
  const ofBoards = (boards?.names ?? [])
    .slice(0, 1)
    .map((name) => ({ name: "board", path: `/fleet/${name}` }));
  problems.push(...(await takeAll(browser, lab, [...routesOf(full), ...ofBoards], boards)));
  for (const name of IN_README) {
    // Where no boards can be made, their screenshots stay what they are.
    if (boards === undefined && (name === "board" || name === "add-board")) continue;
    const from = join(ALL, `${name}-light-1280x800.png`);
    const { size } = statSync(from);
    if (size > README_BYTES) problems.push(`${name}: ${size} bytes are too many for the README`);
    copyFileSync(from, join(README, `${name}.png`));
  }
  console.log(`Screenshots of every page: ${ALL}; the README's: ${README}`);
  if (problems.length > 0) {
    console.error(problems.join("\n"));
    process.exitCode = 1;
  }
} finally {
  await browser.close();
  await lab.remove();
  await boards?.close();
}
