import type { NamedTensor, ParameterSpec, Tensor } from "#contract/tensor.ts";
import type { Models } from "./device-rooms.ts";
import type { KeptState } from "./kept-state.ts";
import { BadInstruction, type CommonInstruction } from "./parse-instruction.ts";

/**
 * Puts the model's parameters together: those that came over the wire, in the order of the model's list without
 * what the device keeps, and those it kept itself (from the seeded first weights, before its first round).
 *
 * @throws BadInstruction when the numbers do not match, or the kept state is not there
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
    throw new BadInstruction(`what it kept in round ${keptFrom} cannot be read: ${cause}`);
  }
};
