import type { ImageSet, TestSide } from "#contract/dataset.ts";
import type { ModelName, Recipe } from "#contract/jobs.ts";
import { elementCount, float32Tensor, type NamedTensor, toFloat32Array } from "#contract/tensor.ts";
import { modelParameters } from "#main/learning/models/models.ts";

/** The same numbers as test/golden/torch_models.py computes; see there. */
export const hash32 = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const uniform = (count: number, stream: number): Float64Array => {
  const start = Math.imul(stream, 0x9e3779b9);
  return Float64Array.from({ length: count }, (_, i) => hash32((start + i) | 0) / 2 ** 32);
};

const computeWeights = (model: ModelName, numClasses: number): NamedTensor[] =>
  modelParameters(model, numClasses).map(({ name, shape, dtype }, i) => {
    if (dtype === "int64") {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigInt64(0, 3n, true);
      return { name, dtype, shape, bytes };
    }
    const u = uniform(elementCount(shape), i + 1);
    const value = (): ((x: number) => number) => {
      if (name.endsWith("running_mean")) return (x) => 0.6 * (x - 0.5);
      if (name.endsWith("running_var")) return (x) => 0.5 + x;
      if (shape.length === 1) return name.endsWith("weight") ? (x) => 0.5 + x : (x) => 0.4 * (x - 0.5);
      const bound = Math.sqrt(3 / (elementCount(shape) / shape[0]!));
      return (x) => (2 * x - 1) * bound;
    };
    return { name, ...float32Tensor(shape, Float32Array.from(u, value())) };
  });

const computed = new Map<string, readonly NamedTensor[]>();

export const formulaWeights = (model: ModelName, numClasses = 10): readonly NamedTensor[] => {
  const key = `${model} ${numClasses}`;
  const known = computed.get(key) ?? computeWeights(model, numClasses);
  computed.set(key, known);
  return known;
};

export const formulaImages = (count: number): ImageSet => {
  const pixels = new Uint8Array(count * 3072);
  let at = 0;
  for (let n = 0; n < count; n += 1) {
    for (let y = 0; y < 32; y += 1) {
      for (let x = 0; x < 32; x += 1) {
        for (let c = 0; c < 3; c += 1, at += 1) {
          const coarse = hash32(n * 4096 + (y >> 2) * 512 + (x >> 2) * 64 + c) % 200;
          pixels[at] = coarse + (hash32(n * 65536 + y * 2048 + x * 64 + c + 7) % 56);
        }
      }
    }
  }
  const labels = Uint8Array.from({ length: count }, (_, n) => hash32(n + 991) % 10);
  return { count, height: 32, width: 32, channels: 3, pixels, labels };
};

export const MEAN = [0.4914, 0.4822, 0.4465] as const;
export const STD = [0.247, 0.2435, 0.2616] as const;

/** A recipe that takes the whole set as one batch, so that its order is no matter. */
export const recipeOf = (
  model: string,
  changes: Partial<Omit<Recipe, "optimizer">> & { optimizer?: Partial<Recipe["optimizer"]> } = {},
): Recipe => ({
  round: 1,
  model,
  numClasses: 10,
  localEpochs: 1,
  batchSize: 1000,
  loss: { kind: "ce" },
  feature: { kind: "plain" },
  seed: 7,
  keeps: [],
  keptFrom: 0,
  initSeed: 1,
  run: "r-test",
  ...changes,
  optimizer: { kind: "sgd", lr: 0.02, momentum: 0, nesterov: false, weightDecay: 0, ...changes.optimizer },
});

export const everyIndex = (images: ImageSet): number[] => Array.from({ length: images.count }, (_, i) => i);

/** Images as the test side of a classification, its head seeing the feature as it is. */
export const labelled = (images: ImageSet) => ({
  task: "classification" as const,
  feature: { kind: "plain" as const },
  test: { kind: "labelled", images } satisfies TestSide as TestSide,
});

/** The elements of a float32 or int64 tensor as numbers. */
export const numbersOf = (tensor: NamedTensor): number[] =>
  tensor.dtype === "int64"
    ? [Number(new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset).getBigInt64(0, true))]
    : Array.from(toFloat32Array(tensor));

/** Up to six positions in a tensor, as make_learning_golden.py takes them. */
export const positions = (count: number): number[] =>
  count <= 6
    ? Array.from({ length: count }, (_, i) => i)
    : Array.from({ length: 6 }, (_, i) => hash32(i + count) % count);
