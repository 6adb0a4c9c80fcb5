import { setImmediate as nextTurn } from "node:timers/promises";
import type { LossSettings } from "#contract/jobs.ts";
import type { BatchSource } from "./batches.ts";
import type { Engine } from "./engines/engine.ts";
import { batchLogits, type LoadedModel } from "./logits.ts";
import type { Distillation } from "./losses.ts";

/** What the frozen global model answers: its logits of every sample of the client, computed once per round. */
export interface Teacher {
  /** (chosen.length, classes) logits of these samples. */
  logitsOf(chosen: readonly number[]): Float32Array;
}

/**
 * Asks the model about every sample, in evaluation mode.
 * @param indices the client's samples, in the order in which the source has them.
 */
export const askTeacher = async (
  engine: Engine,
  model: LoadedModel,
  source: BatchSource,
  input: {
    readonly indices: readonly number[];
    readonly classes: number;
    readonly batchSize: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Teacher> => {
  const { indices, classes, batchSize, signal } = input;
  const logits = new Float32Array(indices.length * classes);
  for (let start = 0; start < indices.length; start += batchSize) {
    signal?.throwIfAborted();
    const batch = source.take(indices.slice(start, start + batchSize));
    logits.set(batchLogits(engine, model, batch), start * classes);
    await nextTurn();
  }
  const rowOf = new Map(indices.map((index, row) => [index, row]));
  return {
    logitsOf: (chosen) => {
      const rows = new Float32Array(chosen.length * classes);
      chosen.forEach((index, b) => {
        const from = rowOf.get(index)! * classes;
        rows.set(logits.subarray(from, from + classes), b * classes);
      });
      return rows;
    },
  };
};

/** The not-true term of a batch of these samples; undefined for a loss without a teacher. */
export const distillationOf = (
  loss: LossSettings,
  teacher: Teacher | undefined,
  chosen: readonly number[],
): Distillation | undefined => {
  if (loss.kind !== "ntd" || teacher === undefined) return undefined;
  const { tau, beta, tauSquared } = loss;
  return { teacher: teacher.logitsOf(chosen), tau, beta, tauSquared };
};
