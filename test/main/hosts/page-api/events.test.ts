import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabEventBody } from "#contract/events.ts";
import type { StreamItem } from "#contract/views.ts";
import { createEventBuffer, MOST_WAITING } from "#main/hosts/page-api/event-buffer.ts";
import { temporaryFolder } from "#test/main/store/samples.ts";
import { followFrom, openRealLab, type RealLab, until } from "./open-page-lab.ts";

const folder = temporaryFolder();
let real: RealLab;
beforeAll(() => {
  real = openRealLab(folder.path);
});
afterAll(async () => {
  await real.close();
  folder.remove();
});

const joined = (device: string): LabEventBody => ({
  kind: "device-joined",
  device,
  crew: "virtual",
  dialect: "t",
  address: "a",
});
const progress = (device: string, fraction: number): LabEventBody => ({
  kind: "client-progress",
  run: "r",
  round: 1,
  device,
  phase: "training",
  fraction,
});
const record = (n: number) => {
  for (let i = 0; i < n; i++) real.lab.emit(joined(`virtual-${i + 1}`));
};
const idsOf = (items: readonly StreamItem[]) => items.flatMap(({ id }) => (id === undefined ? [] : [id]));
const between = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i + 1);

describe("following the stream", () => {
  test("first what was missed, then what happens, then the end when the lab closes", async () => {
    const start = real.lab.store.lastEvent();
    record(1200);
    const page = followFrom(real.client, start + 100);
    await until(() => page.items().length === 1100);
    record(3);
    await until(() => page.items().length === 1103);
    expect(idsOf(page.items())).toEqual(between(start + 100, start + 1203));
    expect(page.batches.every(({ reset }) => reset === undefined)).toBe(true);
    expect(page.batches.at(-1)!.cursor).toBe(start + 1203);
    await page.stop();
  });

  test("recorded events and reconnects in any order: every one exactly once, in order", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("record" as const), n: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ do: fc.constant("progress" as const), n: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant("notify" as const), n: fc.constant(1) }),
      fc.record({ do: fc.constant("wait" as const), n: fc.integer({ min: 0, max: 70 }) }),
      fc.record({ do: fc.constant("record-meanwhile" as const), n: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ do: fc.constant("reconnect" as const), n: fc.constant(1) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14, size: "max" }), async (steps) => {
        const start = real.lab.store.lastEvent();
        const told: StreamItem[] = [];
        let cursor = start;
        let page = followFrom(real.client, cursor);
        const leave = async () => {
          await page.stop();
          expect(page.batches.some(({ reset }) => reset)).toBe(false);
          told.push(...page.items());
          cursor = page.batches.at(-1)?.cursor ?? cursor;
        };
        for (const { do: what, n } of steps) {
          if (what === "record") record(n);
          if (what === "progress") for (let i = 0; i < n; i++) real.lab.emit(progress("virtual-1", i / n));
          if (what === "notify") real.pageLab.notify({ kind: "fleet-changed" });
          if (what === "wait") await new Promise((resolve) => setTimeout(resolve, n));
          if (what === "record-meanwhile") {
            // between two pages of the record that a page catches up with
            for (let i = 0; i < n; i++) {
              await new Promise(setImmediate);
              record(2);
            }
          }
          if (what === "reconnect") {
            await leave();
            page = followFrom(real.client, cursor);
          }
        }
        const last = real.lab.store.lastEvent();
        await until(() => (page.batches.at(-1)?.cursor ?? cursor) === last);
        await leave();
        expect(idsOf(told)).toEqual(between(start, last));
      }),
      { numRuns: 60 },
    );
  });

  test("whoever missed very much is told to load anew, and goes on from there", async () => {
    const start = real.lab.store.lastEvent();
    record(MOST_WAITING + 1);
    const page = followFrom(real.client, start);
    await until(() => page.batches.length === 1);
    expect(page.batches[0]).toEqual({ cursor: start + MOST_WAITING + 1, items: [], reset: true });
    record(1);
    await until(() => page.items().length === 1);
    expect(idsOf(page.items())).toEqual([start + MOST_WAITING + 2]);
    await page.stop();
    const stranger = followFrom(real.client, start + 1_000_000);
    await until(() => stranger.batches.length === 1);
    expect(stranger.batches[0]).toMatchObject({ reset: true, cursor: real.lab.store.lastEvent() });
    await stranger.stop();
  });

  test("a page that is slower than the lab misses nothing it could not load anew", async () => {
    const start = real.lab.store.lastEvent();
    const stream = await real.client.events.follow({ after: start });
    const first = stream.next();
    await new Promise(setImmediate);
    record(1);
    expect((await first).value).toMatchObject({ cursor: start + 1 });
    record(MOST_WAITING + 10);
    const latest = real.lab.store.lastEvent();
    expect((await stream.next()).value).toEqual({ cursor: latest, items: [], reset: true });
    record(2);
    const next = await stream.next();
    expect(next.done ? [] : idsOf(next.value.items)).toEqual([latest + 1, latest + 2]);
    await stream.return?.();
  });

  test("progress comes merged, at most twenty times a second", async () => {
    const start = real.lab.store.lastEvent();
    const page = followFrom(real.client, start);
    const began = performance.now();
    const timer = setInterval(() => {
      for (let device = 1; device <= 50; device++)
        real.lab.emit(progress(`virtual-${device}`, Math.random()));
    }, 2);
    await new Promise((resolve) => setTimeout(resolve, 500));
    clearInterval(timer);
    const seconds = (performance.now() - began) / 1000;
    expect(page.batches.length).toBeGreaterThan(3);
    expect(page.batches.length).toBeLessThanOrEqual(seconds * 20 + 2);
    for (const { items, cursor } of page.batches) {
      expect(items.length).toBeLessThanOrEqual(50);
      expect(cursor).toBe(start);
    }
    await page.stop();
  });

  test("a stream that is left does not listen on", async () => {
    const page = followFrom(real.client, real.lab.store.lastEvent());
    record(1);
    await until(() => page.items().length === 1);
    const began = performance.now();
    await page.stop();
    expect(performance.now() - began).toBeLessThan(1000);
    record(1);
    expect(page.items()).toHaveLength(1);
  });
});

describe("the buffer", () => {
  const at = "2026-01-02T03:04:05.678Z";
  const item = (body: LabEventBody, id?: number): StreamItem => ({
    ...(id === undefined ? {} : { id }),
    event: { at, ...body } as StreamItem["event"],
  });

  test("keeps the latest progress of each phase, behind what happened in between", () => {
    const buffer = createEventBuffer();
    buffer.add(item(progress("a", 0.1)));
    buffer.add(item(joined("b"), 7));
    buffer.add(item(progress("a", 0.2)));
    expect(buffer.take(6, () => 7)).toEqual({
      cursor: 7,
      items: [item(joined("b"), 7), item(progress("a", 0.2))],
    });
    expect(buffer.isEmpty).toBe(true);
  });

  test("forgets what the record has told, and the progress that led there, but no notice", () => {
    const buffer = createEventBuffer();
    const notice: StreamItem = { event: { at, kind: "fleet-changed" } };
    buffer.add(item(progress("a", 0.1)));
    buffer.add(notice);
    buffer.add(item(joined("b"), 7));
    buffer.add(item(progress("a", 0.2)));
    buffer.add(item(joined("c"), 8));
    buffer.dropUpTo(7);
    expect(buffer.take(7, () => 8)).toEqual({
      cursor: 8,
      items: [notice, item(progress("a", 0.2)), item(joined("c"), 8)],
    });
  });
});
