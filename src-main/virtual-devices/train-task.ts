import type { Release } from "#contract/slots.ts";
import { byteLength, type NamedTensor, type Tensor } from "#contract/tensor.ts";
import type { ClientMessageOut, ConfigOut } from "#main/wire/protocol.ts";
import type { Learner } from "./device-rooms.ts";
import type { LeaveSlot } from "./leave-slot.ts";
import { BadInstruction, type FitInstruction } from "./parse-instruction.ts";
import type { Outcome, SharedByDevices } from "./shared-by-devices.ts";
import { drawFault } from "./simulated-faults.ts";
import type { VirtualDevice } from "./worker-messages.ts";

const OK = { code: 0, message: "" };
/** A simulated mishap strikes in the middle of the training. */
const MISHAP_AT = 0.5;

/** Trains the device's model as an instruction says, or ends in a simulated mishap. */
export const createTrainTask = (
  device: VirtualDevice,
  shared: SharedByDevices,
  { leaveSlot, label }: { readonly leaveSlot: LeaveSlot; readonly label: ConfigOut },
) => {
  const { task, data, learner, kept, clock } = shared;
  const normalisation = { mean: data.mean, std: data.std };

  const runTraining = async (
    instruction: FitInstruction,
    weights: NamedTensor[],
    signal: AbortSignal,
    mishap: () => void,
  ) => {
    const { run, round } = instruction;
    shared.onProgress(device.name, run, round, 0);
    const trained = await learner.train({
      ...normalisation,
      weights,
      recipe: instruction,
      images: data.train,
      indices: device.trainIndices,
      signal,
      onProgress: (fraction) => {
        // The learner has made its own of them; the message that they are views of can go.
        weights.length = 0;
        if (fraction >= MISHAP_AT) mishap();
        if (!signal.aborted) shared.onProgress(device.name, run, round, fraction);
      },
    });
    mishap(); // a training of one batch reports no progress
    return trained;
  };

  return async (
    job: { readonly instruction: FitInstruction; readonly weights: NamedTensor[] },
    compute: Release,
    signal: AbortSignal,
    cut: () => void,
  ): Promise<Outcome> => {
    const { instruction } = job;
    if (device.trainIndices.length === 0) throw new BadInstruction("it holds no training samples");
    const seeds = { study: task.seed, initSeed: instruction.initSeed };
    const fault = drawFault(seeds, device.name, instruction.round, device.profile);
    if (fault !== "none") shared.onFaultAhead(device.name, fault);
    let dropped = false;
    const mishap = () => {
      if (fault === "crash") shared.crash();
      if (fault !== "drop" || dropped) return;
      dropped = true;
      cut();
    };
    const startedAt = clock.now();
    let trained: Awaited<ReturnType<Learner["train"]>>;
    try {
      trained = await runTraining(instruction, job.weights, signal, mishap);
    } catch (error) {
      if (dropped) return { kind: "dropped" };
      throw error;
    }
    if (dropped) return { kind: "dropped" };
    signal.throwIfAborted();
    const computeMs = clock.now() - startedAt;
    const stays = new Set(instruction.keeps);
    if (stays.size > 0) {
      const keeps = trained.weights.filter((t) => stays.has(t.name));
      await kept.save(instruction.run, device.name, instruction.round, keeps, instruction.keptFrom);
    }
    const parameters = trained.weights.filter((t) => !stays.has(t.name));
    const { examples, loss, accuracy } = trained;
    const message: ClientMessageOut = {
      kind: "fit",
      status: OK,
      parameters,
      examples,
      metrics: {
        loss: { kind: "double", value: loss },
        accuracy: { kind: "double", value: accuracy },
        compute_ms: { kind: "double", value: computeMs },
        ...label,
      },
    };
    const bytes = parameters.reduce((n, t: Tensor) => n + byteLength(t.dtype, t.shape), 0);
    return { kind: "answer", message, sent: await leaveSlot(bytes, computeMs, compute, signal) };
  };
};
