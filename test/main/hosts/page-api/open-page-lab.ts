import { fileURLToPath } from "node:url";
import { createRouterClient } from "@orpc/server";
import type { StudyInput } from "#contract/study.ts";
import type { StreamBatch, StreamItem } from "#contract/views.ts";
import { openLab } from "#main/lab/open-lab.ts";
import { openPageLab } from "#main/lab/page-lab.ts";
import { forkNode } from "#main/processes/fork-node.ts";

/** A real lab in a folder, asked as a page asks it. */
export const openRealLab = (dataDir: string) => {
  const lab = openLab({
    dataDir,
    resourcesDir: fileURLToPath(new URL("../../../../resources/", import.meta.url)),
    fork: forkNode,
    entries: {
      device: new URL("../../../../src-main/processes/device-worker.ts", import.meta.url),
      evaluation: new URL("../../../../src-main/processes/evaluation-worker.ts", import.meta.url),
      data: new URL("../../../../src-main/processes/data-worker.ts", import.meta.url),
      report: new URL("../../../../src-main/processes/report-worker.ts", import.meta.url),
    },
  });
  const bugs: unknown[] = [];
  const pageLab = openPageLab({
    lab,
    host: "browser",
    version: "0.0.0",
    listEngines: async () => [{ kind: "wasm", path: "/w", version: "4.22.0", usable: true, chosen: true }],
    onBug: (error) => bugs.push(error),
  });
  return {
    lab,
    pageLab,
    bugs,
    client: createRouterClient(pageLab.router),
    async close() {
      await pageLab.close(20_000);
      await lab.close();
    },
  };
};
export type RealLab = ReturnType<typeof openRealLab>;

export const smallStudy = (changes: Partial<StudyInput> = {}): StudyInput => ({
  name: "small",
  dataset: "fashion-mnist-sample",
  model: "Net",
  algorithms: ["fedavg"],
  partition: { kind: "shards", shardsPerClient: 2 },
  fleet: { virtual: 3 },
  rounds: 3,
  optimizer: { lr: 0.05 },
  ...changes,
});

/** Follows the stream as a page does, until it is told to stop. */
export const followFrom = (client: RealLab["client"], after: number) => {
  const controller = new AbortController();
  const batches: StreamBatch[] = [];
  const over = (async () => {
    const stream = await client.events.follow({ after }, { signal: controller.signal });
    for await (const batch of stream) batches.push(batch);
  })().catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return {
    batches,
    items: (): StreamItem[] => batches.flatMap(({ items }) => items),
    over,
    async stop(): Promise<void> {
      controller.abort();
      await over;
    },
  };
};

export const until = async (what: () => unknown, ms = 60_000): Promise<void> => {
  const deadline = performance.now() + ms;
  while (!what()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
