/**
 * How late the event loop of the serving process is while ten virtual devices train ResNet18 and their updates of
 * 45 MB arrive. The lab runs in this process, as it does in the desktop's; a timer looks at the clock every 5 ms.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseStudy } from "#contract/study.ts";
import { openLab } from "#main/lab/open-lab.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import type { Figure } from "./figure.ts";

const TICK_MS = 5;

export const benchEventLoop = async (): Promise<Figure[]> => {
  const dataDir = mkdtempSync(join(tmpdir(), "fedfleet-bench-"));
  const lab = openLab({
    dataDir,
    resourcesDir: fileURLToPath(new URL("../../resources/", import.meta.url)),
    fork: forkNode,
    entries: {
      device: new URL("../../src-main/processes/device-worker.ts", import.meta.url),
      evaluation: new URL("../../src-main/processes/evaluation-worker.ts", import.meta.url),
      data: new URL("../../src-main/processes/data-worker.ts", import.meta.url),
      report: new URL("../../src-main/processes/report-worker.ts", import.meta.url),
    },
  });
  const parsed = parseStudy({
    name: "event loop",
    dataset: "fashion-mnist-sample",
    model: "ResNet18",
    algorithms: ["fedavg"],
    fleet: { virtual: 10 },
    rounds: 1,
    batchSize: 50,
    optimizer: { lr: 0.01 },
    evaluation: { central: false, federated: false },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const opened = await lab.runs.open(parsed.study);
  if (!opened.ok) throw new Error(JSON.stringify(opened.problems));
  const late: number[] = [];
  let folded = 0;
  let failed = 0;
  let timer: NodeJS.Timeout | undefined;
  const unsubscribe = lab.subscribe((event) => {
    // From the first instruction on: starting processes is not serving.
    if (event.kind === "round-started" && timer === undefined) timer = watch(late);
    if (event.kind === "client-update") event.update.status === "folded" ? folded++ : failed++;
  });
  const { signal } = new AbortController();
  const status = await lab.runs.conduct(opened.id, { afterRound: signal, now: signal });
  clearInterval(timer);
  unsubscribe();
  await lab.close();
  rmSync(dataDir, { recursive: true, force: true });
  if (status !== "done" || folded !== 10 || failed > 0)
    throw new Error(`${status}: ${folded} updates, ${failed} failures`);
  late.sort((a, b) => a - b);
  const p99 = late[Math.floor(late.length * 0.99)] ?? Number.NaN;
  const worst = late.at(-1) ?? Number.NaN;
  return [
    {
      name: "event loop late, p99, 10 devices, 45 MB updates",
      value: p99,
      unit: "ms",
      target: "< 30 ms",
      met: p99 < 30,
    },
    { name: "event loop late, worst", value: worst, unit: "ms", target: "≤ 100 ms", met: worst <= 100 },
  ];
};

const watch = (late: number[]): NodeJS.Timeout => {
  let expected = performance.now() + TICK_MS;
  return setInterval(() => {
    const now = performance.now();
    late.push(Math.max(0, now - expected));
    expected = now + TICK_MS;
  }, TICK_MS);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { renderFigures } = await import("./figure.ts");
  console.log(renderFigures(await benchEventLoop()));
}
