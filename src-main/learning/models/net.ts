import { convolution, linear, type ModelDefinition } from "./definition.ts";

/**
 * Net: LeNet-5 with ReLU on 3×32×32, the small model of the original project (after PyTorch's CIFAR-10 tutorial).
 * 62,006 parameters for ten classes.
 */
export const net: ModelDefinition = {
  name: "Net",
  hasBatchNorm: false,
  parameters: (numClasses) => {
    // The original widens the second hidden layer for CIFAR-100.
    const hidden = numClasses === 100 ? 120 : 84;
    return [
      ...convolution("conv1", 6, 3, 5),
      ...convolution("conv2", 16, 6, 5),
      ...linear("fc1", 120, 400, { kind: "flattened", channels: 16, height: 5, width: 5 }),
      ...linear("fc2", hidden, 120),
      ...linear("fc3", numClasses, hidden),
    ];
  },
  forward: (layers, x) => {
    // The original takes ReLU before pooling. ReLU is monotone, so the maximum commutes with it, and a quarter
    // of the elements remains.
    let h = layers.relu(layers.pooledConvolution("conv1", x, { stride: 1, pad: 0 }));
    h = layers.relu(layers.pooledConvolution("conv2", h, { stride: 1, pad: 0 }));
    h = layers.relu(layers.linear("fc1", layers.flatten(h)));
    h = layers.relu(layers.linear("fc2", h));
    return layers.linear("fc3", h);
  },
};
