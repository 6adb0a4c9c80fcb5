import type { ModelDefinition } from "./definition.ts";
import { CIFAR_INPUT } from "./input.ts";
import { convolution, linear } from "./parameters.ts";

/** Width of the feature: the original widens the second hidden layer for CIFAR-100. */
const featureWidth = (numClasses: number): number => (numClasses === 100 ? 120 : 84);

/**
 * Net: LeNet-5 with ReLU on 3×32×32, the small model of the original project (after PyTorch's CIFAR-10 tutorial).
 * 62,006 parameters for ten classes, a feature of 84 numbers.
 */
export const net: ModelDefinition = {
  name: "Net",
  input: CIFAR_INPUT,
  hasBatchNorm: false,
  featureParameters: (numClasses) => [
    ...convolution("conv1", 6, 3, 5),
    ...convolution("conv2", 16, 6, 5),
    ...linear("fc1", 120, 400, { kind: "flattened", channels: 16, height: 5, width: 5 }),
    ...linear("fc2", featureWidth(numClasses), 120),
  ],
  headParameters: (numClasses) => linear("fc3", numClasses, featureWidth(numClasses)),
  features: (layers, x) => {
    // The original takes ReLU before pooling. ReLU is monotone, so the maximum commutes with it, and a quarter
    // of the elements remains.
    let h = layers.relu(layers.pooledConvolution("conv1", x, { stride: 1, pad: 0 }));
    h = layers.relu(layers.pooledConvolution("conv2", h, { stride: 1, pad: 0 }));
    h = layers.relu(layers.linear("fc1", layers.flatten(h)));
    return layers.relu(layers.linear("fc2", h));
  },
  head: (layers, feature) => layers.linear("fc3", feature),
};
