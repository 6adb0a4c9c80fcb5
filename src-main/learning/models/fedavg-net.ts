import { convolution, linear, type ModelDefinition } from "./definition.ts";

/**
 * FedAvgNet: the two-convolution CNN of the FedAvg and FedNTD papers on 3×32×32, as the FedNTD code has it, with
 * ReLU behind the hidden dense layer only. 2,156,490 parameters for ten classes.
 */
export const fedAvgNet: ModelDefinition = {
  name: "FedAvgNet",
  hasBatchNorm: false,
  parameters: (numClasses) => [
    ...convolution("conv2d_1", 32, 3, 5),
    ...convolution("conv2d_2", 64, 32, 5),
    ...linear("linear_1", 512, 4096, { kind: "flattened", channels: 64, height: 8, width: 8 }),
    ...linear("classifier", numClasses, 512),
  ],
  forward: (layers, x) => {
    let h = layers.pooledConvolution("conv2d_1", x, { stride: 1, pad: 2 });
    h = layers.pooledConvolution("conv2d_2", h, { stride: 1, pad: 2 });
    h = layers.relu(layers.linear("linear_1", layers.flatten(h)));
    return layers.linear("classifier", h);
  },
};
