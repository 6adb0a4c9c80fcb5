import type { ModelName } from "#contract/jobs.ts";
import type { TfTensor } from "#main/learning/engines/ops.ts";
import type { Layers } from "#main/learning/layers.ts";
import type { ModelDefinition } from "./definition.ts";
import { CIFAR_INPUT } from "./input.ts";
import { batchNorm, kaimingConvolution, linear } from "./parameters.ts";

interface Block {
  readonly name: string;
  readonly input: number;
  readonly width: number;
  readonly stride: number;
}

/** Stages of basic blocks; every stage but the first halves the image. */
const blocksOf = (widths: readonly number[], perStage: number): readonly Block[] =>
  widths.flatMap((width, stage) =>
    Array.from({ length: perStage }, (_, i) => ({
      name: `layer${stage + 1}.${i}`,
      input: i > 0 || stage === 0 ? width : widths[stage - 1]!,
      width,
      stride: i > 0 || stage === 0 ? 1 : 2,
    })),
  );

const hasDownsample = (block: Block): boolean => block.stride !== 1 || block.input !== block.width;

const basicBlock = (layers: Layers, block: Block, x: TfTensor): TfTensor =>
  layers.block(() => {
    const name = block.name;
    let h = layers.convolution(`${name}.conv1`, x, { stride: block.stride, pad: 1 });
    h = layers.relu(layers.batchNorm(`${name}.bn1`, h));
    h = layers.convolution(`${name}.conv2`, h, { stride: 1, pad: 1 });
    h = layers.batchNorm(`${name}.bn2`, h);
    const shortcut = hasDownsample(block)
      ? layers.batchNorm(
          `${name}.downsample.1`,
          layers.convolution(`${name}.downsample.0`, x, { stride: block.stride, pad: 0 }),
        )
      : x;
    return layers.relu(layers.add(h, shortcut));
  });

const residualNetwork = (name: ModelName, widths: readonly number[], perStage: number): ModelDefinition => {
  const blocks = blocksOf(widths, perStage);
  const stem = widths[0]!;
  return {
    name,
    input: CIFAR_INPUT,
    hasBatchNorm: true,
    featureParameters: () => [
      ...kaimingConvolution("conv1", stem, 3, 3),
      ...batchNorm("bn1", stem),
      ...blocks.flatMap((block) => [
        ...kaimingConvolution(`${block.name}.conv1`, block.width, block.input, 3),
        ...batchNorm(`${block.name}.bn1`, block.width),
        ...kaimingConvolution(`${block.name}.conv2`, block.width, block.width, 3),
        ...batchNorm(`${block.name}.bn2`, block.width),
        ...(hasDownsample(block)
          ? [
              ...kaimingConvolution(`${block.name}.downsample.0`, block.width, block.input, 1),
              ...batchNorm(`${block.name}.downsample.1`, block.width),
            ]
          : []),
      ]),
    ],
    headParameters: (numClasses) => linear("fc", numClasses, widths.at(-1)!),
    features: (layers, x) => {
      let h = layers.block(() =>
        layers.relu(layers.batchNorm("bn1", layers.convolution("conv1", x, { stride: 1, pad: 1 }))),
      );
      for (const block of blocks) h = layers.release(h, basicBlock(layers, block, h));
      return layers.globalAveragePool(h);
    },
    head: (layers, feature) => layers.linear("fc", feature),
  };
};

/**
 * ResNet8 (He et al. 2016, section 4.2, n = 1): three stages of one basic block. 78,042 parameters for ten classes, a
 * feature of 64 numbers.
 */
export const resNet8 = residualNetwork("ResNet8", [16, 32, 64], 1);

/**
 * ResNet18 (He et al. 2016) for 32×32: 3×3 stem with stride 1, no max-pooling. 11,173,962 parameters for ten classes, a
 * feature of 512 numbers.
 */
export const resNet18 = residualNetwork("ResNet18", [64, 128, 256, 512], 2);
