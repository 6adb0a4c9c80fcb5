import { expect, test } from "vitest";
import { createUploadSlots } from "#main/aggregator/upload-slots.ts";
import { until } from "./raw-client.ts";

const started = (slots: ReturnType<typeof createUploadSlots>, order: string[]) => (name: string) =>
  slots.acquire(() => order.push(name));

test("first come, first served, so many at once", () => {
  const slots = createUploadSlots(2);
  const order: string[] = [];
  const [a, b, c, d] = ["a", "b", "c", "d"].map(started(slots, order));
  expect(order).toEqual(["a", "b"]);
  expect([slots.taken, slots.waiting]).toEqual([2, 2]);
  b!.release();
  b!.release();
  expect(order).toEqual(["a", "b", "c"]);
  a!.release();
  c!.release();
  d!.release();
  expect([slots.taken, slots.waiting]).toEqual([0, 0]);
});

test("whoever leaves the queue is never called", () => {
  const slots = createUploadSlots(1);
  const order: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map(started(slots, order));
  b!.release();
  a!.release();
  expect(order).toEqual(["a", "c"]);
  c!.release();
});

test("a stalled slot is lent to the next, as many as there are slots and no more", async () => {
  let now = 0;
  const slots = createUploadSlots(1, 100, () => now);
  const order: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map(started(slots, order));
  now = 90;
  a!.progress();
  now = 150;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(order).toEqual(["a"]);
  now = 200;
  await until("a's slot is lent to b", () => order.length === 2);
  now = 400;
  // b is stalled too, but one slot is lent already.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(order).toEqual(["a", "b"]);
  // a comes back to life: two are taken now, and c waits for both.
  a!.progress();
  b!.release();
  expect(order).toEqual(["a", "b"]);
  a!.release();
  expect(order).toEqual(["a", "b", "c"]);
  c!.release();
});

test("a message that has arrived is never taken for stalled", async () => {
  let now = 0;
  const slots = createUploadSlots(1, 100, () => now);
  const order: string[] = [];
  const [a, b] = ["a", "b"].map(started(slots, order));
  a!.arrived();
  now = 10_000;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(order).toEqual(["a"]);
  a!.release();
  b!.release();
});
