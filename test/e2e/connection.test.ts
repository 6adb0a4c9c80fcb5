import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { StudyInput } from "#contract/study.ts";
import { inChromium, launchBrowser, SERVER_AWAY, type Watch, watchContext, whyNoBrowser } from "./browser.ts";
import { type CuttingProxy, openCuttingProxy } from "./cutting-proxy.ts";
import { expectedTable, recordedRuns, tableOf } from "./figures.ts";
import { type ServedLab, serveLab } from "./served-lab.ts";
import { until } from "./until.ts";

/** Longer than anything here waits; it is stopped when everything has been seen. */
const LONG: StudyInput = {
  name: "watched by four",
  dataset: "fashion-mnist-sample",
  model: "Net",
  algorithms: ["fedavg"],
  partition: { kind: "shards", shardsPerClient: 2 },
  fleet: { virtual: 10 },
  rounds: 500,
  batchSize: 50,
  optimizer: { lr: 0.02 },
  sampling: { fraction: 0.2, minFit: 2 },
  evaluation: { central: true, federated: false },
};
const CUT_MS = 30_000;
const AWAY = "The lab has not answered";

const roundsOf = async (page: Page): Promise<number> =>
  Number((await tableOf(page, /^Accuracy \(%\) per round/)).at(-1)?.[0] ?? -1);

describe.skipIf(whyNoBrowser !== undefined)(inChromium("a page and its connection"), () => {
  let browser: Browser;
  let lab: ServedLab;
  const proxies: CuttingProxy[] = [];
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    browser = await launchBrowser();
    lab = await serveLab();
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
    for (const proxy of proxies.splice(0)) await proxy.close();
  });
  afterAll(async () => {
    await browser.close();
    await lab.remove();
  });

  const openProxy = async (): Promise<CuttingProxy> => {
    const proxy = await openCuttingProxy();
    proxies.push(proxy);
    return proxy;
  };
  /** A page that shows the study's chart and its table. */
  const watchStudy = async (study: string, proxy?: CuttingProxy): Promise<{ page: Page; watch: Watch }> => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      ...(proxy === undefined ? {} : { proxy: { server: proxy.server, bypass: "<-loopback>" } }),
    });
    contexts.push(context);
    const watch = watchContext(context);
    const page = await context.newPage();
    await page.goto(lab.url);
    await page.goto(`${lab.origin}/#/studies/${study}`);
    await page.getByRole("button", { name: "Show as table" }).click();
    return { page, watch };
  };

  test("reloaded, cut off for 30 s, or silenced for 30 s: it shows the same curve as one that was left alone", async () => {
    const direct = await lab.client();
    const { study } = await direct.ask.studies.start({ study: LONG });
    const [cutProxy, silentProxy] = [await openProxy(), await openProxy()];
    const alone = await watchStudy(study);
    const reloaded = await watchStudy(study);
    const cut = await watchStudy(study, cutProxy);
    const silent = await watchStudy(study, silentProxy);
    const all = { alone, reloaded, cut, silent };
    for (const [name, { page }] of Object.entries(all)) {
      await until(`the first rounds on the page "${name}"`, async () => (await roundsOf(page)) >= 2);
    }

    cut.watch.tolerate(SERVER_AWAY);
    silent.watch.tolerate(SERVER_AWAY);
    cutProxy.cut();
    silentProxy.silence();
    const cutAt = performance.now();
    const before = { cut: await roundsOf(cut.page), silent: await roundsOf(silent.page) };
    await reloaded.page.reload();
    await reloaded.page.getByRole("button", { name: "Show as table" }).click();
    await cut.page.getByText(AWAY).waitFor({ timeout: 10_000 });
    await until(
      "three more rounds on the page that was left alone",
      async () => (await roundsOf(alone.page)) >= Math.max(before.cut, before.silent) + 3,
    );
    // They truly were without a connection: what they show has not moved.
    expect(await roundsOf(cut.page)).toBe(before.cut);
    expect(await roundsOf(silent.page)).toBeLessThanOrEqual(before.silent + 1);
    await new Promise((resolve) => setTimeout(resolve, CUT_MS - (performance.now() - cutAt)));
    expect(await roundsOf(cut.page)).toBe(before.cut);
    cutProxy.mend();
    silentProxy.mend();
    const soFar = await roundsOf(alone.page);
    for (const [name, { page }] of Object.entries({ cut, silent })) {
      await until(`the page "${name}" catches up`, async () => (await roundsOf(page)) > soFar);
      expect(await page.getByText(AWAY).count()).toBe(0);
    }

    await alone.page.getByRole("button", { name: "Stop after this round" }).click();
    for (const { page } of Object.values(all)) {
      await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 60_000 });
    }
    const runs = recordedRuns(lab.dataDir, study);
    const rounds = runs[0]!.points.map(({ round }) => round);
    expect(rounds).toEqual(Array.from(rounds, (_, i) => i));
    const lines = new Set<string | null>();
    for (const [name, { page, watch }] of Object.entries(all)) {
      const accuracy = await tableOf(page, /^Accuracy \(%\) per round/);
      expect(accuracy.slice(1), name).toEqual(expectedTable(runs, "accuracy"));
      lines.add(await page.locator(".recharts-line-curve").first().getAttribute("d"));
      await page.getByRole("radiogroup", { name: "Metric" }).getByText("Loss").click();
      expect((await tableOf(page, /^Loss \(nats\) per round/)).slice(1), name).toEqual(
        expectedTable(runs, "loss"),
      );
      expect(watch.problems, name).toEqual([]);
    }
    // The very same line, through one point per round.
    expect(lines.size).toBe(1);
    direct.close();
  });
});
