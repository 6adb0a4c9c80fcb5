import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { weightsSha256 } from "#main/store/safetensors.ts";
import { openStore } from "#main/store/store.ts";
import { temporaryFolder } from "./samples.ts";

const KILLS = 30;

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** Starts the recorder and kills it: a fifth of the time while it starts, else so long after it opened the store. */
const recordAndKill = async (afterMs: number, whileStarting: boolean): Promise<number> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "record-rounds.ts"), folder.path], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let problems = "";
  child.stdout.on("data", (data: Buffer) => {
    said += String(data);
  });
  child.stderr.on("data", (data: Buffer) => {
    problems += String(data);
  });
  if (!whileStarting) await once(child.stdout, "data");
  await sleep(afterMs);
  const exited = once(child, "close");
  child.kill("SIGKILL");
  await exited;
  expect(problems).toBe("");
  const announced = said.split("\n").map(Number).filter(Number.isInteger);
  return Math.max(0, ...announced);
};

test(`after ${KILLS} kills at random instants, nothing that was announced is lost and nothing half is there`, async () => {
  let announced = 0;
  let removed = 0;
  const seen: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const whileStarting = Math.random() < 0.2;
    const afterMs = Math.random() * (whileStarting ? 400 : 250);
    announced = Math.max(announced, await recordAndKill(afterMs, whileStarting));

    const store = openStore({ dataDir: folder.path, onProgress: () => removed++ });
    const raw = new DatabaseSync(join(folder.path, "fedfleet.db"), { readOnly: true });
    expect(raw.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    expect(raw.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
    raw.close();

    const [study, ...others] = store.studies.list();
    expect(others).toEqual([]);
    if (study === undefined) {
      expect(announced).toBe(0);
      store.close();
      continue;
    }
    expect(study.status).toBe("interrupted");
    const [run] = store.runs.of(study.id);
    const rounds = store.rounds.of(run!.id);
    // all rounds from 1 on, once each, and every one that was announced
    expect(rounds.map((r) => r.round)).toEqual(rounds.map((_, i) => i + 1));
    expect(rounds.length).toBeGreaterThanOrEqual(announced);
    // at most one more: recorded, and killed before it was announced
    expect(rounds.length).toBeLessThanOrEqual(announced + 1);
    announced = rounds.length;
    for (const r of rounds) expect(r.updates.map((u) => u.examples)).toEqual([r.round, r.round, r.round]);
    // what was recorded before is what it was
    expect(rounds.slice(0, seen.length).map((r) => r.weightsSha256)).toEqual(seen);
    seen.splice(0, seen.length, ...rounds.map((r) => r.weightsSha256));

    const checkpoints = store.checkpoints.of(run!.id);
    for (const checkpoint of checkpoints) {
      const { tensors, metadata } = await store.checkpoints.read(checkpoint.path);
      expect(metadata).toEqual({ round: String(checkpoint.round) });
      expect(await weightsSha256(tensors)).toBe(rounds[checkpoint.round - 1]!.weightsSha256);
    }
    if (rounds.length > 0) expect(store.rounds.last(run!.id)!.checkpoint.round).toBe(rounds.length);
    // no file without a row, nothing unfinished, and few enough: last, best, and what the next prune takes
    expect(filesBelow(join(folder.path, "checkpoints"))).toEqual(checkpoints.map((c) => c.path).sort());
    expect(checkpoints.length).toBeLessThanOrEqual(5);
    store.close();
  }
  console.info(`${seen.length} rounds; ${removed} kills left an unfinished or unrecorded file behind`);
  expect(seen.length).toBeGreaterThan(KILLS / 5);
  expect(new Set(seen).size).toBe(seen.length);
  expect(filesBelow(folder.path).filter((path) => !path.includes("checkpoints")).length).toBeLessThanOrEqual(
    3,
  );
});
