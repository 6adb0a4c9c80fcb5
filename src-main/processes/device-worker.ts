/** Entry of a worker process that hosts virtual devices. It wires rooms together and holds no logic. */
import { loadDataset } from "#main/datasets/datasets.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner } from "#main/learning/learning.ts";
import { initialWeights, modelParameters } from "#main/learning/models/models.ts";
import { readSafetensors, writeSafetensors } from "#main/store/safetensors.ts";
import { runDeviceHost } from "#main/virtual-devices/device-host.ts";
import { connectParent } from "./parent.ts";

runDeviceHost(
  {
    async openLearner(threads) {
      const engine = await openEngine({ threads });
      return { learner: createLearner(engine), engine: engine.info };
    },
    loadDataset,
    models: { parameters: modelParameters, initialWeights },
    files: { read: readSafetensors, write: writeSafetensors },
  },
  connectParent(),
);
