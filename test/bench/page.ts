/**
 * How long a person waits for the page, in the real browser before the real server: from the start of the program to
 * the first point of the demo's curve, for every page of a large database, for a frame while fifty devices train; and
 * how much is loaded for the first paint.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { DEMO } from "#contract/presets.ts";
import type { StudyInput } from "#contract/study.ts";
import { ensureBuilt } from "#main/hosts/ensure-built.ts";
import { launchBrowser } from "#test/e2e/browser.ts";
import { connectDirectly } from "#test/e2e/served-lab.ts";
import { type Figure, renderFigures } from "./figure.ts";
import { serveMeasured } from "./measured-lab.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Where a run's first point is drawn. */
const CURVE = 'section[aria-label="Accuracy"] .recharts-line';

const figure = (name: string, value: number, unit: string, target: string, met: boolean): Figure => ({
  name,
  value,
  unit,
  target,
  met,
});

/** The first line that it prints, the address. */
const addressOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let out = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (out.includes("\n")) resolve(out.slice(0, out.indexOf("\n")));
    });
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    child.on("close", (code) => reject(new Error(`the lab ended with ${code}:\n${said}`)));
  });

/** Seconds from `npm start` (without npm's own) to the first point of the demo, which is clicked as soon as it can be. */
const startToFirstPoint = async (browser: Browser, tree: string): Promise<number> => {
  const dataDir = mkdtempSync(join(tmpdir(), "fedfleet-bench-"));
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    ["src-main/start.ts", "--no-open", "--port", "0", "--data-dir", dataDir],
    // Without a display, as where the browser is what shows the lab.
    {
      cwd: tree,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DISPLAY: "", WAYLAND_DISPLAY: "" },
    },
  );
  try {
    const page = await browser.newPage();
    await page.goto(await addressOf(child));
    await page.getByRole("button", { name: "Run the demo" }).click();
    await page
      .locator(`${CURVE} path, ${CURVE} circle`)
      .first()
      .waitFor({ state: "attached", timeout: 120_000 });
    const seconds = (performance.now() - startedAt) / 1000;
    await page.context().close();
    return seconds;
  } finally {
    child.kill("SIGINT");
    if (child.exitCode === null) await once(child, "exit");
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
};

const benchStart = async (browser: Browser): Promise<Figure[]> => {
  // A checkout in which nothing has been built yet; what is installed is this one's.
  const tree = mkdtempSync(join(tmpdir(), "fedfleet-start-"));
  for (const part of [
    "src-main",
    "src-renderer",
    "resources",
    "tsconfig.json",
    "package.json",
    "package-lock.json",
  ]) {
    cpSync(join(ROOT, part), join(tree, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  try {
    const first = await startToFirstPoint(browser, tree);
    const second = await startToFirstPoint(browser, tree);
    return [
      figure("start to the demo's first point, page not built yet", first, "s", "< 30 s", first < 30),
      figure("start to the demo's first point, second start", second, "s", "< 12 s", second < 12),
    ];
  } finally {
    rmSync(tree, { recursive: true, force: true, maxRetries: 5 });
  }
};

/**
 * Put into every page before its own code: `untilInteractive(selector)` resolves when the page shows that and says
 * nowhere that it loads, a frame has been drawn, and the main thread has had nothing to do.
 */
const UNTIL_INTERACTIVE = `window.untilInteractive = (selector, hash) => new Promise((resolve, reject) => {
  const end = performance.now() + 20000;
  const look = () => {
    const main = document.querySelector("main");
    const there = main !== null && location.hash === hash && main.querySelector("h1") !== null &&
      main.querySelector(selector) !== null && !/\\bLoading\\b/.test(main.textContent);
    if (there) requestAnimationFrame(() => requestIdleCallback(() => resolve(performance.now())));
    else if (performance.now() > end) reject(new Error(hash + " never shows " + selector));
    else requestAnimationFrame(look);
  };
  look();
})`;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const benchLarge = async (browser: Browser): Promise<Figure[]> => {
  const folder = process.env.FEDFLEET_LARGE_DATABASE ?? join(tmpdir(), "fedfleet-large-database");
  if (!existsSync(join(folder, "filled"))) {
    console.log(`  filling ${folder} with 10 × 6 × 500 × 20: some minutes, once`);
    const filler = fileURLToPath(new URL("../main/store/large-database.ts", import.meta.url));
    const child = spawn(process.execPath, [filler, "10", folder], { stdio: ["ignore", "ignore", "inherit"] });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`large-database.ts ended with ${code}`);
    cpSync(filler, join(folder, "filled"));
  }
  const lab = await serveMeasured(folder);
  try {
    const direct = await connectDirectly(new URL(lab.url));
    const { studies } = await direct.ask.studies.list();
    direct.close();
    const [a, b] = [studies[4]!.id, studies[5]!.id];
    const routes = [
      { name: "list of studies", path: "/", shows: "tbody tr" },
      { name: "a study, 6 runs of 500 rounds", path: `/studies/${a}`, shows: ".recharts-line-curve" },
      { name: "new study", path: "/new", shows: "form, input" },
      { name: "fleet", path: "/fleet", shows: "section" },
      { name: "data", path: "/data", shows: "section" },
      { name: "settings", path: "/settings", shows: "section" },
      { name: "two studies compared", path: `/compare?studies=${a},${b}`, shows: ".recharts-line-curve" },
    ];
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.addInitScript(UNTIL_INTERACTIVE);
    await page.goto(lab.url);
    const { origin } = new URL(lab.url);
    const figures: Figure[] = [];
    for (const { name, path, shows } of routes) {
      const opened: number[] = [];
      const entered: number[] = [];
      for (let i = 0; i < 5; i += 1) {
        await page.goto("about:blank");
        await page.goto(`${origin}/#${path}`, { waitUntil: "commit" });
        opened.push(await untilInteractive(page, shows, path));
        await page.evaluate(`location.hash = "#/nothing-here"`);
        await untilInteractive(page, "h1", "/nothing-here");
        const from = Number(
          await page.evaluate(`(location.hash = ${JSON.stringify(`#${path}`)}, performance.now())`),
        );
        entered.push((await untilInteractive(page, shows, path)) - from);
      }
      for (const [how, values] of Object.entries({ loaded: opened, entered: entered })) {
        const worst = Math.max(...values);
        figures.push(
          figure(
            `${name}, ${how}: interactive after (median of 5; worst ${worst.toFixed(0)})`,
            median(values),
            "ms",
            "< 500 ms",
            median(values) < 500,
          ),
        );
      }
    }
    await page.context().close();
    return figures;
  } finally {
    await lab.close();
  }
};

const untilInteractive = async (page: Page, shows: string, path: string): Promise<number> =>
  Number(await page.evaluate(`untilInteractive(${JSON.stringify(shows)}, ${JSON.stringify(`#${path}`)})`));

const FIFTY: StudyInput = {
  ...DEMO,
  name: "fifty devices",
  algorithms: ["fedavg"],
  partition: { kind: "iid" },
  fleet: { virtual: 50 },
  rounds: 500,
  localEpochs: 1,
  sampling: { fraction: 1, minFit: 50 },
};
const WATCHED_MS = 10_000;

const benchRunning = async (browser: Browser): Promise<Figure[]> => {
  const dataDir = mkdtempSync(join(tmpdir(), "fedfleet-bench-"));
  const lab = await serveMeasured(dataDir);
  try {
    const direct = await connectDirectly(new URL(lab.url));
    const { study } = await direct.ask.studies.start({ study: FIFTY });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(lab.url);
    await page.goto(`${new URL(lab.url).origin}/#/studies/${study}`);
    await page
      .locator(`${CURVE} .recharts-line-curve`)
      .first()
      .waitFor({ state: "attached", timeout: 120_000 });
    const before = (await direct.ask.studies.get({ study })).cursor;
    lab.measure();
    const gaps = (await page.evaluate(`new Promise((resolve) => {
      const gaps = [];
      let last = performance.now();
      const end = last + ${WATCHED_MS};
      const frame = (now) => {
        gaps.push(now - last);
        last = now;
        if (now < end) requestAnimationFrame(frame);
        else resolve(gaps.slice(1));
      };
      requestAnimationFrame(frame);
    })`)) as number[];
    const { p99, max } = await lab.report();
    const events = (await direct.ask.studies.get({ study })).cursor - before;
    if (events < 50) throw new Error(`only ${events} events came while the page was watched`);
    direct.close();
    const perSecond = (1000 * gaps.length) / gaps.reduce((sum, gap) => sum + gap, 0);
    const slow = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length * 0.99)] ?? Number.NaN;
    await page.context().close();
    return [
      figure(
        `frames of a running study's page, 50 devices, ${events} events in 10 s (99 % within ${slow.toFixed(0)} ms)`,
        perSecond,
        "per s",
        "> 50 per s",
        perSecond > 50,
      ),
      figure("event loop of the serving process late, p99, in the same", p99, "ms", "< 30 ms", p99 < 30),
      figure("event loop late at most, in the same", max, "ms", "≤ 100 ms", max <= 100),
    ];
  } finally {
    await lab.close();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
};

/** Everything that the browser loads until the list of studies is there, gzipped. */
const benchBundle = async (browser: Browser): Promise<Figure[]> => {
  const dataDir = mkdtempSync(join(tmpdir(), "fedfleet-bench-"));
  const lab = await serveMeasured(dataDir);
  try {
    const page = await browser.newPage();
    const bodies: Promise<Buffer>[] = [];
    page.on("response", (response) => {
      if (response.ok()) bodies.push(response.body());
    });
    await page.goto(lab.url);
    await page.getByRole("button", { name: "Run the demo" }).waitFor();
    const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).length);
    const kB = sizes.reduce((sum, size) => sum + size, 0) / 1000;
    await page.context().close();
    return [figure(`first paint: ${sizes.length} files, gzipped`, kB, "kB", "< 500 kB", kB < 500)];
  } finally {
    await lab.close();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
};

export const benchPage = async (parts = process.argv.slice(2)): Promise<Figure[]> => {
  await ensureBuilt("page", (line) => console.log(`  ${line}`));
  const all = { bundle: benchBundle, start: benchStart, large: benchLarge, running: benchRunning };
  const browser = await launchBrowser();
  try {
    const figures: Figure[] = [];
    for (const [name, bench] of Object.entries(all)) {
      if (parts.length === 0 || parts.includes(name)) figures.push(...(await bench(browser)));
    }
    return figures;
  } finally {
    await browser.close();
  }
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(`  ${availableParallelism()} processors, shared with the devices that train`);
  console.log(renderFigures(await benchPage()));
}
