import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Failure } from "#contract/failure.ts";
import { crashedWith, createMishapLog, DROPPED_OUT } from "#main/virtual-devices/mishap-log.ts";

const lost = (device: string, more: Partial<Failure> = {}): Failure => ({
  code: "connection-lost",
  device,
  stage: "fit",
  cause: "the connection was lost",
  ...more,
});

test("a broken connection gets the reason that the fleet knows, once", async () => {
  const log = createMishapLog((device) => device.startsWith("virtual-"));
  log.note("virtual-1", DROPPED_OUT);
  expect(await log.explain(lost("virtual-1"))).toEqual({ ...lost("virtual-1"), ...DROPPED_OUT });
  expect(await log.explain(lost("virtual-1"))).toEqual(lost("virtual-1"));
});

test("news that come a little later are waited for", async () => {
  const log = createMishapLog(() => true);
  const explained = log.explain(lost("virtual-1"));
  await turn();
  log.note("virtual-1", crashedWith("virtual-1", "virtual-3"));
  expect((await explained).cause).toMatch(/shares with virtual-3/);
});

test("other failures, other devices and devices that are well again keep their own reason", async () => {
  const log = createMishapLog((device) => device.startsWith("virtual-"));
  log.note("virtual-1", DROPPED_OUT);
  const other = lost("virtual-1", { code: "not-finite" });
  expect(await log.explain(other)).toBe(other);
  const foreign = lost("external-1");
  const startedAt = performance.now();
  expect(await log.explain(foreign)).toBe(foreign);
  expect(performance.now() - startedAt).toBeLessThan(200);
  log.clear(["virtual-1"]);
  expect(await log.explain(lost("virtual-1"))).toEqual(lost("virtual-1"));
});
