import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gravesOf } from "./axe.ts";
import { inChromium, launchBrowser, watchContext, whyNoBrowser } from "./browser.ts";
import { fillLab } from "./full-lab.ts";
import { openRoute, routesOf } from "./routes.ts";
import { type ServedLab, serveLab } from "./served-lab.ts";

const THEMES = ["light", "dark"] as const;

describe.skipIf(whyNoBrowser !== undefined)(inChromium("axe finds nothing serious or critical"), () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  /** Looks at each page in each theme. @returns what was found, by page */
  const lookAtAll = async (
    lab: ServedLab,
    routes: readonly { readonly name: string; readonly path: string }[],
  ): Promise<Record<string, readonly string[]>> => {
    const found: Record<string, readonly string[]> = {};
    for (const theme of THEMES) {
      const context = await browser.newContext({
        colorScheme: theme,
        viewport: { width: 1280, height: 800 },
        reducedMotion: "reduce",
      });
      const watch = watchContext(context);
      const page: Page = await context.newPage();
      await page.goto(lab.url);
      for (const { name, path } of routes) {
        await openRoute(page, lab.origin, path);
        const graves = await gravesOf(page);
        if (graves.length > 0) found[`${name}, ${theme}`] = graves;
      }
      await context.close();
      if (watch.problems.length > 0) found[`the console, ${theme}`] = watch.problems;
    }
    return found;
  };

  test("in an empty lab, light and dark", async () => {
    const lab = await serveLab();
    try {
      expect(await lookAtAll(lab, routesOf())).toEqual({});
    } finally {
      await lab.remove();
    }
  });

  test("in a lab with studies that are done, one that runs and one that waits, light and dark", {
    timeout: 480_000,
  }, async () => {
    const lab = await serveLab();
    try {
      expect(await lookAtAll(lab, routesOf(await fillLab(lab)))).toEqual({});
    } finally {
      await lab.remove();
    }
  });
});
