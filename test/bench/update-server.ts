import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createAggregator } from "#main/aggregator/aggregator.ts";
import { createWeightedSum, type Weighted } from "#main/federation/weighted-sum.ts";
import { drive } from "#main/runs/drive.ts";
import { prepareParameters } from "#main/wire/parameters.ts";

/**
 * The serving process of a round, by itself so that its memory and its event loop can be measured: sends one update's
 * worth of weights to every client, adds each answer to the running weighted sum, releases it.
 *
 *   node update-server.ts COUNT ELEMENTS ROUNDS
 *
 * Over IPC: {kind:"listening", port}, then {kind:"done", peakBytes, seconds, lateP99, lateMax}; milliseconds for the
 * event loop.
 */
const [count = "1", elements = "4", rounds = "1"] = process.argv.slice(2);

/** The high-water mark of this process's resident memory, as the kernel counts it. */
const peakBytes = (): number => {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
  return line === null ? process.resourceUsage().maxRSS * 1024 : Number(line[1]) * 1024;
};

const aggregator = createAggregator({ emit: () => {}, admission: { kind: "open" } });
const weights = new Uint8Array(new Float32Array(Number(elements)).fill(0.25).buffer);
const parameters = prepareParameters([{ dtype: "float32", shape: [Number(elements)], bytes: weights }]);

const sum = createWeightedSum([{ dtype: "float32", shape: [Number(elements)] }]);

/** As a round does it: the updates that wait are added together, and given back. */
const waiting: { readonly update: Weighted; readonly release: () => void }[] = [];
let adding: Promise<void> | undefined;
const addWaiting = async (): Promise<void> => {
  while (waiting.length > 0) {
    const batch = waiting.splice(0, 3);
    const results = await drive(sum.add(batch.map((w) => w.update)));
    for (const result of results) if (!result.ok) throw new Error(result.failure.cause);
    for (const { release } of batch) release();
  }
  adding = undefined;
};

const { port } = await aggregator.listen({ host: "127.0.0.1", port: 0 });
const all = new Promise<void>((resolve) => {
  const off = aggregator.onChange(() => {
    if (aggregator.sessions().length < Number(count)) return;
    off();
    resolve();
  });
});
process.send?.({ kind: "listening", port });
await all;

const late = monitorEventLoopDelay({ resolution: 1 });
late.enable();
const started = performance.now();
for (let round = 0; round < Number(rounds); round++) {
  await Promise.all(
    aggregator.sessions().map(async (session) => {
      const result = await session.request({ kind: "fit", parameters, config: {} });
      if (!result.ok) throw new Error(result.failure.cause);
      const { message, release } = result.value;
      if (message.kind !== "fit") throw new Error(message.kind);
      waiting.push({ update: { tensors: message.parameters, weight: message.examples }, release });
      adding ??= addWaiting();
    }),
  );
  await adding;
  await drive(sum.mean());
  sum.reset();
}
const seconds = (performance.now() - started) / 1000;
late.disable();
await aggregator.close();
process.send?.({
  kind: "done",
  peakBytes: peakBytes(),
  seconds,
  lateP99: late.percentile(99) / 1e6,
  lateMax: late.max / 1e6,
});
process.disconnect?.();
