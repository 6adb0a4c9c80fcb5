import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTelemetryDemand, type TelemetryDemand } from "#main/boards/telemetry/telemetry-demand.ts";

let changes: string[];
let demand: TelemetryDemand;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  changes = [];
  demand = createTelemetryDemand(
    (device, wanted) => void changes.push(`${wanted ? "+" : "-"}${device}`),
    5000,
  );
});
afterEach(() => {
  demand.close();
  vi.useRealTimers();
});

test("a board is read from the first who asks until some time after the last has gone", () => {
  const page = demand.ask(["pi", "nano"]);
  const study = demand.ask(["pi"]);
  expect(changes).toEqual(["+pi", "+nano"]);
  page();
  vi.advanceTimersByTime(5000);
  expect(changes).toEqual(["+pi", "+nano", "-nano"]);
  expect(demand.isWanted("pi")).toBe(true);
  study();
  vi.advanceTimersByTime(4999);
  expect(demand.isWanted("pi")).toBe(true);
  vi.advanceTimersByTime(1);
  expect(demand.isWanted("pi")).toBe(false);
  expect(changes).toEqual(["+pi", "+nano", "-nano", "-pi"]);
});

test("who comes back in time changes nothing", () => {
  demand.ask(["pi"])();
  vi.advanceTimersByTime(3000);
  const again = demand.ask(["pi"]);
  vi.advanceTimersByTime(60_000);
  expect(changes).toEqual(["+pi"]);
  again();
  vi.advanceTimersByTime(5000);
  expect(changes).toEqual(["+pi", "-pi"]);
});

test("withdrawing twice counts once, and a name that is given twice counts once", () => {
  const first = demand.ask(["pi", "pi"]);
  const second = demand.ask(["pi"]);
  first();
  first();
  vi.advanceTimersByTime(60_000);
  expect(changes).toEqual(["+pi"]);
  second();
  vi.advanceTimersByTime(60_000);
  expect(changes).toEqual(["+pi", "-pi"]);
});
