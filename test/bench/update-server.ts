import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createAggregator } from "#main/aggregator/aggregator.ts";
import { prepareParameters } from "#main/wire/parameters.ts";

/**
 * The serving process of a round, by itself so that its memory and its event loop can be measured: sends one update's
 * worth of weights to every client, adds each answer into one float64 sum, releases it.
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
const sum = new Float64Array(Number(elements));
const weights = new Uint8Array(new Float32Array(Number(elements)).fill(0.25).buffer);
const parameters = prepareParameters([{ dtype: "float32", shape: [Number(elements)], bytes: weights }]);

const scratch = new Float32Array(1 << 16);
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * In slices, so that the server can answer in between; each is copied first, since it is chance whether a message's
 * values lie on a boundary of four bytes.
 */
const fold = async (bytes: Uint8Array): Promise<void> => {
  for (let from = 0; from < bytes.length; from += scratchBytes.length) {
    const part = bytes.subarray(from, from + scratchBytes.length);
    scratchBytes.set(part);
    const first = from / 4;
    const length = part.length / 4;
    for (let i = 0; i < length; i++) sum[first + i]! += 10 * scratch[i]!;
    if ((from / scratchBytes.length) % 8 === 7) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
  }
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
      if (message.kind === "fit") {
        for (const tensor of message.parameters) await fold(tensor.bytes);
      }
      release();
    }),
  );
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
