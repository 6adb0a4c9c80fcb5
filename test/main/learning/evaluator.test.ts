import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import { loadDataset } from "#main/datasets/datasets.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createEvaluator, type Evaluator } from "#main/learning/evaluator.ts";
import { createLearner } from "#main/learning/learning.ts";
import { initialWeights } from "#main/learning/models/models.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { writeSafetensors } from "#main/store/safetensors.ts";

const entry = new URL("../../../src-main/processes/evaluation-worker.ts", import.meta.url);
const sample: DatasetLocation = {
  name: "fashion-mnist-sample",
  format: "fashion-mnist-sample-idx",
  path: new URL("../../../resources/data/fashion-mnist-sample", import.meta.url).pathname,
};

let dir: string;
let checkpoint: string;
let evaluator: Evaluator | undefined;
const weights = initialWeights("Net", 10, 4);
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "fedfleet-evaluator-"));
  checkpoint = path.join(dir, "w.safetensors");
  await writeSafetensors(checkpoint, weights, {});
});
afterEach(async () => {
  await evaluator?.close();
  evaluator = undefined;
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const judged = { feature: { kind: "plain" }, task: "classification" } as const;
const job = () => ({ ...judged, checkpoint, model: "Net" as const, numClasses: 10, dataset: sample });

test("the worker evaluates a checkpoint file as this process does", async () => {
  evaluator = createEvaluator({ fork: forkNode, entry });
  const [there, engine] = await Promise.all([evaluator.evaluate(job()), evaluator.engine()]);
  const { test: side, mean, std } = await loadDataset(sample);
  const here = createLearner(await openEngine());
  const expected = await here.evaluate({
    ...judged,
    weights,
    model: "Net",
    numClasses: 10,
    test: side,
    mean,
    std,
  });
  expect(there).toEqual(expected);
  expect(there.examples).toBeGreaterThanOrEqual(1000);
  expect(engine.kind).toBe(here.engine.info.kind);
});

test("what a person can fix comes back as such, and the process stays", async () => {
  evaluator = createEvaluator({ fork: forkNode, entry });
  const broken = path.join(dir, "broken.safetensors");
  await writeSafetensors(broken, weights.slice(1), {});
  const missing = await evaluator.evaluate({ ...job(), checkpoint: broken }).catch((e: unknown) => e);
  expect(missing).toBeInstanceOf(UserError);
  expect((missing as Error).message).toMatch(/no tensor conv1\.weight/);
  const { pid } = evaluator;
  expect((await evaluator.evaluate(job())).examples).toBeGreaterThan(0);
  expect(evaluator.pid).toBe(pid);
});

/** A process that dies this many times while it holds a job, then answers. */
const fragile = async (lives: number): Promise<URL> => {
  const file = path.join(dir, `fragile-${lives}.mjs`);
  await writeFile(
    file,
    `import { existsSync, appendFileSync, readFileSync } from "node:fs";
     const log = new URL("./lives-${lives}", import.meta.url);
     process.on("message", ({ id }) => {
       const lived = existsSync(log) ? readFileSync(log, "utf8").length : 0;
       if (lived < ${lives}) {
         appendFileSync(log, ".");
         console.error("the engine ran out of luck");
         process.exit(77);
       }
       process.send({ id, ok: true, gives: { kind: "wasm", version: process.env.FEDFLEET_ENGINE, path: "", threads: 1 } });
     });
     process.on("disconnect", () => process.exit());`,
  );
  return new URL(`file://${file}`);
};

test("a process that dies is replaced, and its jobs are tried once more", async () => {
  evaluator = createEvaluator({ fork: forkNode, entry: await fragile(1), engine: "native" });
  const answers = await Promise.all([evaluator.engine(), evaluator.engine()]);
  expect(answers.map((a) => a.kind)).toEqual(["wasm", "wasm"]);
  // the engine that it was told to use
  expect(answers[0]?.version).toBe("native");
});

test("a process that dies again gives its last words", async () => {
  evaluator = createEvaluator({ fork: forkNode, entry: await fragile(5) });
  await expect(evaluator.engine()).rejects.toThrow(
    /the evaluation process ended \(exit code 77\):\nthe engine ran out of luck/,
  );
});

test("an idle process ends, and the next job starts another", async () => {
  evaluator = createEvaluator({ fork: forkNode, entry: await fragile(0), idleMs: 100 });
  await evaluator.engine();
  const before = evaluator.pid;
  expect(before).toBeGreaterThan(0);
  await vi.waitFor(() => expect(evaluator?.pid).toBeUndefined(), { timeout: 5000 });
  expect((await evaluator.engine()).kind).toBe("wasm");
  expect(evaluator.pid).not.toBe(before);
});

test("a process that may be idle for ever stays", async () => {
  evaluator = createEvaluator({
    fork: forkNode,
    entry: await fragile(0),
    idleMs: Number.POSITIVE_INFINITY,
  });
  await evaluator.engine();
  const { pid } = evaluator;
  // a timer of Node's that is given Infinity fires after a millisecond
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(evaluator.pid).toBe(pid);
});

test("closing rejects what waits and ends the process", async () => {
  evaluator = createEvaluator({ fork: forkNode, entry });
  const waiting = evaluator.evaluate(job());
  const rejected = expect(waiting).rejects.toThrow("the lab is closing: the model was not evaluated");
  await evaluator.close();
  await rejected;
  await expect(evaluator.engine()).rejects.toThrow(/closing/);
});
