import type { Release } from "#contract/slots.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { decodeServerMessage } from "#main/wire/messages.ts";
import type { ClientMessageOut, Config, ConfigOut, Dialect } from "#main/wire/protocol.ts";
import { assembleWeights } from "./device-weights.ts";
import { createEvaluateTask } from "./evaluate-task.ts";
import { causeOf, evaluateFailed, fitFailed } from "./failed-answers.ts";
import type { Incoming } from "./flower-connection.ts";
import { createLeaveSlot } from "./leave-slot.ts";
import {
  type CommonInstruction,
  parseEvaluationInstruction,
  parseFitInstruction,
} from "./parse-instruction.ts";
import type { Outcome, SharedByDevices } from "./shared-by-devices.ts";
import { createTrainTask } from "./train-task.ts";
import type { VirtualDevice } from "./worker-messages.ts";

export interface DeviceTasks {
  /**
   * Does what the server asked for.
   * @param signal aborts when the connection ends or the fleet stops
   * @param cut breaks the connection off, for a simulated drop-out
   * @throws WireError when the bytes are not a message of the protocol
   */
  carryOut(incoming: Incoming, dialect: Dialect, signal: AbortSignal, cut: () => void): Promise<Outcome>;
}

const OK = { code: 0, message: "" };
const nothing = (): void => {};

/** What one virtual device does when the server asks: properties, parameters, fit, evaluate. */
export const createDeviceTasks = (device: VirtualDevice, shared: SharedByDevices): DeviceTasks => {
  const { task, models, kept } = shared;
  const ports = { device: device.name, models, kept };
  const label: ConfigOut = { device: { kind: "string", value: device.name } };
  const answering = { leaveSlot: createLeaveSlot(device, shared), label };
  const train = createTrainTask(device, shared, answering);
  const evaluate = createEvaluateTask(device, shared, answering);

  const computing = async (
    failed: (cause: string) => ClientMessageOut,
    slot: Release | undefined,
    signal: AbortSignal,
    work: (compute: Release) => Promise<Outcome>,
  ): Promise<Outcome> => {
    let compute: Release = slot ?? nothing;
    try {
      compute = slot ?? (await shared.compute.acquire(signal));
      const outcome = await work(compute);
      // An answer gives the slot up itself, when it has left.
      if (outcome.kind !== "answer") compute();
      return outcome;
    } catch (error) {
      compute();
      if (signal.aborted) return { kind: "lost" };
      return { kind: "answer", message: failed(causeOf(error)), sent: nothing };
    }
  };

  const answer = (message: ClientMessageOut): Outcome => ({ kind: "answer", message, sent: nothing });

  return {
    async carryOut(incoming, dialect, signal, cut) {
      const box = open(incoming, dialect);
      const what = box.message.kind;
      switch (what) {
        case "reconnect":
          return { kind: "reconnect", seconds: box.message.seconds };
        case "getProperties": {
          const properties: ConfigOut = {
            ...label,
            training_examples: { kind: "int", value: device.trainIndices.length },
            test_examples: { kind: "int", value: device.testIndices.length },
          };
          return answer({ kind: "properties", status: OK, properties });
        }
        case "getParameters": {
          const parameters = models.initialWeights(task.model, task.numClasses, task.seed);
          return answer({ kind: "parameters", status: OK, parameters });
        }
        case "fit":
          return await computing(fitFailed(label), incoming.slot, signal, async (compute) =>
            train(await prepare(box, parseFitInstruction, ports), compute, signal, cut),
          );
        case "evaluate":
          return await computing(evaluateFailed(label), incoming.slot, signal, async (compute) =>
            evaluate(await prepare(box, parseEvaluationInstruction, ports), compute, signal),
          );
      }
    },
  };
};

interface Box {
  message: ReturnType<typeof decodeServerMessage>;
}

/** Decodes a message and lets go of its bytes: only the message's tensors hold them now. */
const open = (incoming: Incoming, dialect: Dialect): Box => {
  const { bytes } = incoming;
  if (bytes === undefined) throw new Error("a message is opened once");
  incoming.bytes = undefined;
  return { message: decodeServerMessage(dialect, bytes) };
};

/**
 * Turns a message into what the learner takes, and lets go of the message. A function of its own, so that nothing of
 * the message stays alive in the frame of a caller that waits for the training.
 */
const prepare = async <T extends CommonInstruction>(
  box: Box,
  parse: (config: Config) => T,
  ports: Parameters<typeof assembleWeights>[2],
): Promise<{ instruction: T; weights: NamedTensor[] }> => {
  const { message } = box;
  if (message.kind !== "fit" && message.kind !== "evaluate")
    throw new Error(`cannot prepare ${message.kind}`);
  box.message = { kind: "reconnect", seconds: 0 };
  const instruction = parse(message.config);
  return { instruction, weights: await assembleWeights(instruction, message.parameters, ports) };
};
