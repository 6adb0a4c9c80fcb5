/** Opens a data worker, tells its process id, and lives until somebody kills it. */
import { createDataWorker } from "#main/datasets/data-worker.ts";
import { forkNode } from "#main/processes/fork-node.ts";

const dataWorker = createDataWorker({
  fork: forkNode,
  entry: new URL("../../../src-main/processes/data-worker.ts", import.meta.url),
});
await dataWorker.labels({
  name: "fashion-mnist-sample",
  format: "fashion-mnist-sample-idx",
  path: new URL("../../../resources/data/fashion-mnist-sample", import.meta.url).pathname,
});
console.log(dataWorker.pid);
setInterval(() => {}, 1000);
