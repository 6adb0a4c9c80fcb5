import type { NamedTensor, ParameterSpec, Tensor } from "#contract/tensor.ts";
import type { Models } from "./device-rooms.ts";
import type { KeptState } from "./kept-state.ts";
import { BadInstruction, type CommonInstruction } from "./parse-instruction.ts";

/**
 * All parameters of the model, in its order: those that came over the wire (without those that the device keeps), and
 * those that the device kept (before its first round: the seeded initial weights).
 *
 * @throws BadInstruction when their number does not match, or the kept state is missing
 */
export const assembleWeights = async (
  instruction: CommonInstruction,
  received: readonly Tensor[],
  ports: { readonly device: string; readonly models: Models; readonly kept: KeptState },
): Promise<NamedTensor[]> => {
  const { model, numClasses, keeps } = instruction;
  const specs = ports.models.parameters(model, numClasses);
  const unknown = keeps.find((name) => !specs.some((spec) => spec.name === name));
  if (unknown !== undefined) throw new BadInstruction(`${model} has no parameter called ${unknown} to keep`);
  const travelling = travellingSpecs(specs, keeps);
  if (received.length !== travelling.length) {
    throw new BadInstruction(
      `${model} with ${numClasses} classes has ${travelling.length} travelling parameters; ${received.length} arrived`,
    );
  }
  const byName = new Map<string, Tensor>(travelling.map((spec, i) => [spec.name, received[i]!]));
  for (const tensor of await keptTensors(instruction, ports)) byName.set(tensor.name, tensor);
  return specs.map((spec) => {
    const tensor = byName.get(spec.name);
    if (tensor === undefined) throw new BadInstruction(`the kept state lacks ${spec.name}`);
    return { ...tensor, name: spec.name };
  });
};

const travellingSpecs = (specs: readonly ParameterSpec[], keeps: readonly string[]): ParameterSpec[] => {
  const stays = new Set(keeps);
  return specs.filter((spec) => !stays.has(spec.name));
};

const keptTensors = async (
  instruction: CommonInstruction,
  ports: { readonly device: string; readonly models: Models; readonly kept: KeptState },
): Promise<readonly NamedTensor[]> => {
  const { keeps, keptFrom, run, model, numClasses, initSeed } = instruction;
  if (keeps.length === 0) return [];
  const stays = new Set(keeps);
  if (keptFrom === 0) {
    return ports.models.initialWeights(model, numClasses, initSeed).filter((t) => stays.has(t.name));
  }
  try {
    return (await ports.kept.load(run, ports.device, keptFrom)).filter((t) => stays.has(t.name));
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new BadInstruction(`the parameters that it kept in round ${keptFrom} cannot be read: ${cause}`);
  }
};
