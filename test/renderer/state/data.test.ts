import { expect, test } from "vitest";
import type { StreamItem, Transfer } from "#contract/views.ts";
import { applyToData, changesTheData, type DataState } from "#renderer/state/data.ts";

const transfer = (more: Partial<Transfer> = {}): Transfer => ({
  name: "cifar10",
  what: "download",
  state: "running",
  startedAt: "2026-01-01T00:00:00.000Z",
  ...more,
});
const item = (more: Partial<Transfer> = {}): StreamItem => ({
  event: { kind: "transfer", at: "2026-01-01T00:00:01.000Z", transfer: transfer(more) },
});
const state = (...transfers: Transfer[]): DataState => ({
  view: { entries: [], transfers },
  problem: undefined,
});

test("progress takes the place of what was known, without asking for the list", () => {
  const next = applyToData(
    state(transfer({ done: 1, total: 9 }), transfer({ name: "other" })),
    item({ done: 5, total: 9 }),
  );
  expect(next.view?.transfers.map(({ name, done }) => [name, done])).toEqual([
    ["other", undefined],
    ["cifar10", 5],
  ]);
  expect(changesTheData(item({ done: 5, total: 9 }))).toBe(false);
});

test("what is done leaves the list of transfers; what was stopped or failed stays, to go on", () => {
  expect(applyToData(state(transfer()), item({ state: "done" })).view?.transfers).toEqual([]);
  expect(applyToData(state(transfer()), item({ state: "stopped" })).view?.transfers).toHaveLength(1);
  expect(
    applyToData(state(transfer()), item({ state: "failed", problem: "No way." })).view?.transfers[0]?.problem,
  ).toBe("No way.");
  expect(applyToData(state(transfer()), item({ what: "register", state: "failed" })).view?.transfers).toEqual(
    [],
  );
  for (const end of ["done", "stopped", "failed"] as const)
    expect(changesTheData(item({ state: end }))).toBe(true);
});

test("other events, and news before the list is there, change nothing", () => {
  const before = state();
  expect(applyToData(before, { event: { kind: "fleet-changed", at: "2026-01-01T00:00:00.000Z" } })).toBe(
    before,
  );
  const empty: DataState = { view: undefined, problem: undefined };
  expect(applyToData(empty, item())).toBe(empty);
});
