import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { float32Tensor, type NamedTensor, toFloat32Array } from "#contract/tensor.ts";
import { readSafetensors, writeSafetensors } from "#main/store/safetensors.ts";
import {
  createKeptState,
  forgetKept,
  type KeptState,
  removeUnfinished,
} from "#main/virtual-devices/kept-state.ts";

let dir: string;
let kept: KeptState;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fedfleet-kept-"));
  kept = createKeptState(dir, { read: readSafetensors, write: writeSafetensors });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const state = (value: number): NamedTensor[] => [
  { name: "fc3.weight", ...float32Tensor([2], new Float32Array([value, -value])) },
];
const firstOf = (tensors: readonly NamedTensor[]) => toFloat32Array(tensors[0]!)[0];
const files = () =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)));

test("what a device kept comes back, and what no resumed run can ask for is deleted", async () => {
  await kept.save("r-1", "virtual-1", 1, state(1), 0);
  await kept.save("r-1", "virtual-1", 2, state(2), 1);
  expect(files().sort()).toEqual(["r-1/virtual-1/1.safetensors", "r-1/virtual-1/2.safetensors"]);
  // Round 2 was never recorded: the resumed run goes on from round 1 and writes round 2 again.
  expect(firstOf(await kept.load("r-1", "virtual-1", 1))).toBe(1);
  await kept.save("r-1", "virtual-1", 2, state(22), 1);
  expect(firstOf(await kept.load("r-1", "virtual-1", 2))).toBe(22);
  await kept.save("r-1", "virtual-1", 5, state(5), 2);
  expect(files().sort()).toEqual(["r-1/virtual-1/2.safetensors", "r-1/virtual-1/5.safetensors"]);
});

test("two runs and two devices never meet, whatever they are called", async () => {
  await kept.save("r-1", "a", 1, state(1), 0);
  await kept.save("r-2", "a", 1, state(2), 0);
  await kept.save("r-1", "b", 1, state(3), 0);
  await kept.save("..", "../../a", 1, state(4), 0);
  expect(files()).toHaveLength(4);
  expect(firstOf(await kept.load("r-1", "a", 1))).toBe(1);
  expect(firstOf(await kept.load("..", "../../a", 1))).toBe(4);
});

test("a missing state is named", async () => {
  await expect(kept.load("r-1", "virtual-1", 3)).rejects.toThrow(/virtual-1\/3\.safetensors/);
});

test("what all devices kept of a run is forgotten at once, and nothing else", async () => {
  for (const [run, device] of [
    ["r-1", "a"],
    ["r-1", "b"],
    ["r-10", "a"],
    ["..", "a"],
  ] as const) {
    await kept.save(run, device, 1, state(1), 0);
  }
  await forgetKept(dir, "r-1");
  expect(readdirSync(dir).sort()).toEqual(["%2E%2E", "r-10"]);
  await forgetKept(dir, "..");
  expect(readdirSync(dir)).toEqual(["r-10"]);
  await forgetKept(dir, "r-never-kept");
  await forgetKept(join(dir, "nowhere"), "r-10");
  expect(files()).toEqual(["r-10/a/1.safetensors"]);
});

test("what a killed process left half written is deleted, under the name that the files' writer gives it", async () => {
  await kept.save("r-1", "a", 1, state(1), 0);
  const folder = join(dir, "r-1", "a");
  // The name as the real writer has it while it writes: 64 MiB take long enough to be seen.
  const large = [{ name: "w", ...float32Tensor([1 << 24], new Float32Array(1 << 24)) }];
  const writing = writeSafetensors(join(folder, "2.safetensors"), large);
  let unfinished: string | undefined;
  while (unfinished === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
    unfinished = readdirSync(folder).find((name) => !/^\d+\.safetensors$/.test(name));
  }
  await writing;
  expect(files().sort()).toEqual(["r-1/a/1.safetensors", "r-1/a/2.safetensors"]);
  writeFileSync(join(folder, unfinished), "half");
  await removeUnfinished(dir);
  expect(files().sort()).toEqual(["r-1/a/1.safetensors", "r-1/a/2.safetensors"]);
  await removeUnfinished(join(dir, "nowhere"));
});
