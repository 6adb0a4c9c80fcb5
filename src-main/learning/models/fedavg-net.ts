import type { ModelDefinition } from "./definition.ts";
import { CIFAR_INPUT } from "./input.ts";
import { convolution, linear } from "./parameters.ts";

/**
 * FedAvgNet: the two-convolution CNN of the FedAvg and FedNTD papers on 3×32×32, as the FedNTD code has it, with
 * ReLU behind the hidden dense layer only. 2,156,490 parameters for ten classes, a feature of 512 numbers.
 */
export const fedAvgNet: ModelDefinition = {
  name: "FedAvgNet",
  input: CIFAR_INPUT,
  hasBatchNorm: false,
  featureParameters: () => [
    ...convolution("conv2d_1", 32, 3, 5),
    ...convolution("conv2d_2", 64, 32, 5),
    ...linear("linear_1", 512, 4096, { kind: "flattened", channels: 64, height: 8, width: 8 }),
  ],
  headParameters: (numClasses) => linear("classifier", numClasses, 512),
  features: (layers, x) => {
    let h = layers.pooledConvolution("conv2d_1", x, { stride: 1, pad: 2 });
    h = layers.pooledConvolution("conv2d_2", h, { stride: 1, pad: 2 });
    return layers.relu(layers.linear("linear_1", layers.flatten(h)));
  },
  head: (layers, feature) => layers.linear("classifier", feature),
};
