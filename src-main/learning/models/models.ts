import { UserError } from "#contract/failure.ts";
import { MODEL_NAMES, type ModelName } from "#contract/jobs.ts";
import { byteLength, elementCount, type NamedTensor, type ParameterSpec } from "#contract/tensor.ts";
import { createRandom, deriveSeed } from "#main/federation/random.ts";
import { type ModelDefinition, parametersOf } from "./definition.ts";
import { fedAvgNet } from "./fedavg-net.ts";
import { net } from "./net.ts";
import type { ParameterDefinition } from "./parameters.ts";
import { resNet8, resNet18 } from "./resnet.ts";

const DEFINITIONS: Readonly<Record<ModelName, ModelDefinition>> = {
  Net: net,
  FedAvgNet: fedAvgNet,
  ResNet8: resNet8,
  ResNet18: resNet18,
};

/** @throws UserError for a name that is not one of MODEL_NAMES. */
export const modelDefinition = (name: string): ModelDefinition => {
  if (!(MODEL_NAMES as readonly string[]).includes(name)) {
    throw new UserError(`there is no model "${name}"; use one of ${MODEL_NAMES.join(", ")}`);
  }
  return DEFINITIONS[name as ModelName];
};

/** A model's parameter list in PyTorch's state_dict order, names and shapes. Needs no engine. */
export const modelParameters = (name: ModelName, numClasses: number): readonly ParameterSpec[] =>
  parametersOf(modelDefinition(name), numClasses).map(({ name: entry, dtype, shape, kind, part }) => ({
    name: entry,
    dtype,
    shape,
    kind,
    part,
  }));

const draw = (definition: ParameterDefinition, seed: number): Uint8Array => {
  const { dtype, shape, initialisation } = definition;
  const bytes = new Uint8Array(byteLength(dtype, shape));
  if (dtype !== "float32") return bytes; // the counters start at zero
  const values = new Float32Array(bytes.buffer);
  if (initialisation.kind === "constant") {
    values.fill(initialisation.value);
    return bytes;
  }
  // A generator per parameter: models that share a layer's name and shape share its draw.
  const random = createRandom(deriveSeed(seed, "init", definition.name));
  const n = elementCount(shape);
  if (initialisation.kind === "uniform") {
    const { bound } = initialisation;
    for (let i = 0; i < n; i += 1) values[i] = bound * (2 * random.next() - 1);
  } else {
    for (let i = 0; i < n; i += 1) values[i] = initialisation.std * random.normal();
  }
  return bytes;
};

/**
 * Fresh weights from PyTorch's initial distributions, by the lab's own generator: the same seed gives the same
 * bytes on every machine. Needs no engine.
 * @param seed a uint32.
 */
export const initialWeights = (name: ModelName, numClasses: number, seed: number): NamedTensor[] =>
  parametersOf(modelDefinition(name), numClasses).map((definition) => ({
    name: definition.name,
    dtype: definition.dtype,
    shape: definition.shape,
    bytes: draw(definition, seed),
  }));
