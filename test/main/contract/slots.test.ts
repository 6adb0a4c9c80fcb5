import { setTimeout as after } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSlots } from "#contract/slots.ts";

const never = new AbortController().signal;

test("no more than the slots are held at once, and everybody who stays gets one, in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.record({ turns: fc.integer({ min: 0, max: 3 }), leaves: fc.boolean() }), { maxLength: 20 }),
      async (count, guests) => {
        const slots = createSlots(count);
        let held = 0;
        let most = 0;
        const order: number[] = [];
        await Promise.all(
          guests.map(async (guest, i) => {
            const leaving = new AbortController();
            const asked = slots.acquire(leaving.signal);
            if (guest.leaves) leaving.abort(new Error("gone"));
            try {
              const release = await asked;
              order.push(i);
              held += 1;
              most = Math.max(most, held);
              for (let turn = 0; turn < guest.turns; turn += 1) await after(0);
              held -= 1;
              release();
              release();
            } catch (error) {
              expect((error as Error).message).toBe("gone");
            }
          }),
        );
        expect(most).toBeLessThanOrEqual(count);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
        for (const i of guests.keys()) if (!guests[i]!.leaves) expect(order).toContain(i);
        expect(slots.free).toBe(count);
        expect(slots.waiting).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});

test("who has gone already gets none", async () => {
  const slots = createSlots(1);
  await expect(slots.acquire(AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
  const release = await slots.acquire(never);
  expect(slots.free).toBe(0);
  release();
  expect(slots.free).toBe(1);
});
