import type { Page } from "playwright-core";
import type { FullLab } from "./full-lab.ts";
import { until } from "./until.ts";

export interface PageRoute {
  /** Also the name of its screenshot. */
  readonly name: string;
  /** Behind the # of the address. */
  readonly path: string;
}

/** Every page of the lab; those that need a study where there is one. */
export const routesOf = (full?: FullLab): readonly PageRoute[] => [
  { name: "studies", path: "/" },
  { name: "new-study", path: "/new" },
  { name: "fleet", path: "/fleet" },
  { name: "data", path: "/data" },
  { name: "data-set", path: "/data/fashion-mnist-sample" },
  { name: "settings", path: "/settings" },
  { name: "no-such-page", path: "/nothing-here" },
  ...(full === undefined
    ? [{ name: "compare", path: "/compare" }]
    : [
        { name: "study-running", path: `/studies/${full.running}` },
        { name: "study-done", path: `/studies/${full.forgetting}` },
        { name: "study-waiting", path: `/studies/${full.waiting}` },
        { name: "new-study-from", path: `/new?from=${full.demo}` },
        { name: "compare", path: `/compare?studies=${full.forgetting}` },
        { name: "compare-choose", path: "/compare" },
        { name: "export", path: `/compare?studies=${full.forgetting}&export=1` },
        { name: "device", path: "/fleet/steady-1" },
        { name: "compare-two", path: `/compare?studies=${full.demo},${full.forgetting}` },
      ]),
];

/** Goes to a page and waits until it shows what it has to show. */
export const openRoute = async (page: Page, origin: string, path: string): Promise<void> => {
  await page.goto(`${origin}/#${path}`);
  await page.locator("h1").filter({ hasNotText: "Loading" }).waitFor();
  // Not waitForFunction: it would evaluate a string in the page, which its policy forbids.
  await until(`the page ${path} is there`, async () => Boolean(await page.evaluate(IS_SETTLED)));
};

/** Nothing says that it is being loaded, and its text has kept its length; a page that shows a run never does. */
const IS_SETTLED = `(() => {
  const main = document.querySelector("main");
  if (/\\bLoading\\b/.test(main.textContent)) return false;
  const look = { length: main.textContent.length, path: location.hash };
  const last = window.lastLook?.path === look.path ? window.lastLook : { looks: 0 };
  window.lastLook = { ...look, looks: last.looks + 1 };
  return (last.looks >= 2 && last.length === look.length) || last.looks > 15;
})()`;
