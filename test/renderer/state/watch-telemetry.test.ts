import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTelemetryWatch } from "#renderer/state/watch-telemetry.ts";

interface Stream {
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  breakOff(): void;
}

let streams: Stream[];
let left: string[];
let watch: ReturnType<typeof createTelemetryWatch>;
const open = () => streams.filter(({ signal }) => !signal.aborted).map(({ names }) => names.join(" "));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  streams = [];
  left = [];
  const watchTelemetry = async (input: { names: string[] }, { signal }: { signal: AbortSignal }) => {
    const over = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => over.reject(signal.reason), { once: true });
    streams.push({ names: input.names, signal, breakOff: () => over.reject(new Error("gone")) });
    return (async function* () {
      yield { watching: input.names };
      await over.promise;
    })();
  };
  watch = createTelemetryWatch({
    client: { boards: { watchTelemetry } },
    onLeft: (names) => left.push(...names),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test("rows that appear together are one stream; a row more or less opens another", async () => {
  const pi = watch("pi");
  watch("nano");
  expect(streams).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(150);
  expect(open()).toEqual(["nano pi"]);
  watch("orin");
  await vi.advanceTimersByTimeAsync(150);
  expect(open()).toEqual(["nano orin pi"]);
  pi();
  await vi.advanceTimersByTimeAsync(150);
  expect(open()).toEqual(["nano orin"]);
  expect(left).toEqual(["pi"]);
});

test("moving from a page to another that shows the same board changes nothing", async () => {
  const fleet = watch("pi");
  await vi.advanceTimersByTimeAsync(150);
  fleet();
  watch("pi");
  await vi.advanceTimersByTimeAsync(150);
  expect(streams).toHaveLength(1);
  expect(left).toEqual([]);
});

test("a page that shows none has no stream; one that breaks off is opened again", async () => {
  const pi = watch("pi");
  await vi.advanceTimersByTimeAsync(150);
  streams[0]!.breakOff();
  await vi.advanceTimersByTimeAsync(1100);
  expect(streams).toHaveLength(2);
  pi();
  await vi.advanceTimersByTimeAsync(5000);
  expect(open()).toEqual([]);
  expect(streams).toHaveLength(2);
});
