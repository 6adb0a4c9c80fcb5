import type { Release } from "#contract/slots.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import type { ClientMessageOut, ConfigOut } from "#main/wire/protocol.ts";
import type { LeaveSlot } from "./leave-slot.ts";
import { BadInstruction, type EvaluationInstruction } from "./parse-instruction.ts";
import type { Outcome, SharedByDevices } from "./shared-by-devices.ts";
import type { VirtualDevice } from "./worker-messages.ts";

const OK = { code: 0, message: "" };

/** Evaluates the global model on the device's own test samples. */
export const createEvaluateTask = (
  device: VirtualDevice,
  { data, learner, clock }: Pick<SharedByDevices, "data" | "learner" | "clock">,
  { leaveSlot, label }: { readonly leaveSlot: LeaveSlot; readonly label: ConfigOut },
) => {
  const normalisation = { mean: data.mean, std: data.std };

  return async (
    job: { readonly instruction: EvaluationInstruction; readonly weights: readonly NamedTensor[] },
    compute: Release,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    if (device.testIndices.length === 0) throw new BadInstruction("it holds no test samples");
    const { model, numClasses, feature, task: judgedAs } = job.instruction;
    const startedAt = clock.now();
    const figures = await learner.evaluate({
      ...normalisation,
      weights: job.weights,
      model,
      numClasses,
      feature,
      task: judgedAs,
      test: data.test,
      indices: device.testIndices,
      signal,
    });
    const computeMs = clock.now() - startedAt;
    const { loss = Number.NaN, ...metrics } = figures.metrics;
    const message: ClientMessageOut = {
      kind: "evaluate",
      status: OK,
      loss,
      examples: figures.examples,
      metrics: {
        ...asDoubles(metrics),
        ...(figures.perClass === undefined
          ? {}
          : { correct: { kind: "int", value: figures.perClass.reduce((n, c) => n + c.correct, 0) } }),
        compute_ms: { kind: "double", value: computeMs },
        ...label,
      },
    };
    return { kind: "answer", message, sent: await leaveSlot(0, computeMs, compute, signal) };
  };
};

const asDoubles = (metrics: Readonly<Record<string, number>>): ConfigOut =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, { kind: "double", value }]));
