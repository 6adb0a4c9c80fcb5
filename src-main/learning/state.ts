import { UserError } from "#contract/failure.ts";
import { describeTensor, float32Tensor, type NamedTensor, toFloat32Array } from "#contract/tensor.ts";
import type { Tf, TfTensor } from "./engines/ops.ts";
import { engineShape, toEngineLayout, toTorchLayout } from "./layout.ts";
import { type ModelDefinition, parametersOf } from "./models/definition.ts";
import type { ParameterDefinition } from "./models/parameters.ts";

/** A float parameter in the engine's layout. */
export interface StateEntry {
  readonly definition: ParameterDefinition;
  readonly values: Float32Array;
}

/** A model's weights as local training holds them: plain arrays, which optimizers update without the engine. */
export interface ModelState {
  readonly definitions: readonly ParameterDefinition[];
  readonly trainables: readonly StateEntry[];
  /** BatchNorm's running statistics by parameter name. */
  readonly buffers: ReadonlyMap<string, StateEntry>;
  /** BatchNorm's num_batches_tracked by parameter name. */
  readonly counters: Map<string, bigint>;
}

/**
 * Reads weights in PyTorch's layout. The bytes are copied.
 * @throws UserError where names, order, shapes or element types are not the model's.
 */
export const readState = (
  model: ModelDefinition,
  numClasses: number,
  weights: readonly NamedTensor[],
): ModelState => {
  const definitions = parametersOf(model, numClasses);
  if (weights.length !== definitions.length) {
    throw new UserError(
      `${model.name} with ${numClasses} classes has ${definitions.length} tensors, got ${weights.length}`,
    );
  }
  const trainables: StateEntry[] = [];
  const buffers = new Map<string, StateEntry>();
  const counters = new Map<string, bigint>();
  definitions.forEach((definition, i) => {
    const tensor = weights[i]!;
    if (tensor.name !== definition.name || describeTensor(tensor) !== describeTensor(definition)) {
      throw new UserError(
        `${model.name}: tensor ${i} must be ${definition.name}, ${describeTensor(definition)}; got ${tensor.name}, ${describeTensor(tensor)}`,
      );
    }
    if (definition.dtype === "int64") {
      const { buffer, byteOffset, byteLength } = tensor.bytes;
      counters.set(definition.name, new DataView(buffer, byteOffset, byteLength).getBigInt64(0, true));
      return;
    }
    const entry = { definition, values: toEngineLayout(definition, toFloat32Array(tensor)) };
    if (definition.kind === "trainable") trainables.push(entry);
    else buffers.set(definition.name, entry);
  });
  return { definitions, trainables, buffers, counters };
};

/** The weights in PyTorch's layout again; the bytes are new. */
export const writeState = (state: ModelState): NamedTensor[] => {
  const trainables = new Map(state.trainables.map((entry) => [entry.definition.name, entry]));
  return state.definitions.map((definition) => {
    const { name, dtype, shape } = definition;
    if (dtype === "int64") {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigInt64(0, state.counters.get(name)!, true);
      return { name, dtype, shape, bytes };
    }
    const { values } = (trainables.get(name) ?? state.buffers.get(name))!;
    return { name, ...float32Tensor(shape, toTorchLayout(definition, values)) };
  });
};

const toTensor = (tf: Tf, { definition, values }: StateEntry): TfTensor =>
  tf.tensor(values, engineShape(definition), "float32");

/** The trainables as tensors of the engine, by name. The caller disposes them. */
export const trainableTensors = (tf: Tf, state: ModelState): Map<string, TfTensor> =>
  new Map(state.trainables.map((entry) => [entry.definition.name, toTensor(tf, entry)]));

/** Trainables and running statistics as tensors of the engine, by name. The caller disposes them. */
export const evaluationTensors = (tf: Tf, state: ModelState): Map<string, TfTensor> => {
  const tensors = trainableTensors(tf, state);
  for (const [name, entry] of state.buffers) tensors.set(name, toTensor(tf, entry));
  return tensors;
};
