import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createUploadSlots } from "#main/aggregator/upload-slots.ts";

const setUp = (count: number) => {
  const slots = createUploadSlots(count, () => Date.now());
  const order: string[] = [];
  return { slots, order, acquire: (name: string) => slots.acquire(() => order.push(name)) };
};

test("first come, first served, so many at once", () => {
  const { slots, order, acquire } = setUp(2);
  const [a, b, c, d] = ["a", "b", "c", "d"].map(acquire);
  expect(order).toEqual(["a", "b"]);
  expect([slots.taken, slots.waiting]).toEqual([2, 2]);
  b!.release();
  b!.release();
  expect(order).toEqual(["a", "b", "c"]);
  a!.release();
  c!.release();
  d!.release();
  expect(order).toEqual(["a", "b", "c", "d"]);
  expect([slots.taken, slots.waiting]).toEqual([0, 0]);
});

test("an upload that leaves the queue is never called", () => {
  const { order, acquire } = setUp(1);
  const [a, b, c] = ["a", "b", "c"].map(acquire);
  b!.release();
  a!.release();
  expect(order).toEqual(["a", "c"]);
  c!.release();
});

describe("while others wait", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("a fast upload keeps its slot to itself", () => {
    const { order, acquire } = setUp(1);
    const [a] = ["a", "b"].map(acquire);
    for (let i = 0; i < 100; i++) {
      a!.progress(1_000_000);
      vi.advanceTimersByTime(100);
    }
    expect(order).toEqual(["a"]);
  });

  test("the slots of slow ones are lent, three for each and no more", () => {
    const { slots, order, acquire } = setUp(1);
    const all = ["a", "b", "c", "d", "e", "f"].map(acquire);
    vi.advanceTimersByTime(900);
    expect(order).toEqual(["a"]);
    for (let i = 0; i < 100; i++) {
      for (const slot of all) slot.progress(100_000);
      vi.advanceTimersByTime(100);
    }
    expect(order).toEqual(["a", "b", "c", "d"]);
    expect(slots.taken).toBe(4);
    all[2]!.release();
    vi.advanceTimersByTime(2000);
    expect(order).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("one that speeds up takes its slot back when the next place comes free", () => {
    const { order, acquire } = setUp(1);
    const [a, b] = ["a", "b", "c"].map(acquire);
    vi.advanceTimersByTime(1000);
    expect(order).toEqual(["a", "b"]);
    for (let i = 0; i < 20; i++) {
      a!.progress(2_000_000);
      b!.progress(2_000_000);
      vi.advanceTimersByTime(100);
    }
    b!.release();
    expect(order).toEqual(["a", "b"]);
    a!.release();
    expect(order).toEqual(["a", "b", "c"]);
  });

  test("a message that has arrived is not slow", () => {
    const { order, acquire } = setUp(1);
    const [a] = ["a", "b"].map(acquire);
    a!.arrived();
    vi.advanceTimersByTime(60_000);
    expect(order).toEqual(["a"]);
  });
});
