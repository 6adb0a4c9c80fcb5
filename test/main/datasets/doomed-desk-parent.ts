/** Opens a desk, tells its process id, and lives until somebody kills it. */
import { createDesk } from "#main/datasets/desk.ts";
import { forkNode } from "#main/hosts/fork-node.ts";

const desk = createDesk({
  fork: forkNode,
  entry: new URL("../../../src-main/desk-worker.ts", import.meta.url),
});
await desk.labels({
  name: "fashion-mnist-sample",
  format: "fashion-mnist-sample-idx",
  path: new URL("../../../resources/data/fashion-mnist-sample", import.meta.url).pathname,
});
console.log(desk.pid);
setInterval(() => {}, 1000);
