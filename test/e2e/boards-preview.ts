/**
 * The real lab with boards that are not there, to look at its page: `node test/e2e/boards-preview.ts PORT DIR [BOARDS]`.
 * The first line is the address with its token.
 */
import { registerHooks } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

const [port = "0", dataDir = "/tmp/fedfleet-preview", boards = "12"] = process.argv.slice(2);
process.env.FEDFLEET_PREVIEW_BOARDS = boards;

const FAKE = new URL("./preview-boards.ts", import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "#main/boards/boards.ts" && context.parentURL !== FAKE
      ? { url: FAKE, shortCircuit: true, format: "module-typescript" }
      : next(specifier, context),
});

const { openLab } = await import("#main/lab/open-lab.ts");
const { openServedLab } = await import("#main/lab/serve.ts");
const { forkNode } = await import("#main/processes/fork-node.ts");
const root = new URL("../../", import.meta.url);
const at = (path: string): URL => new URL(`src-main/${path}`, root);
const lab = openLab({
  dataDir,
  resourcesDir: fileURLToPath(new URL("resources/", root)),
  fork: forkNode,
  entries: {
    device: at("processes/device-worker.ts"),
    evaluation: at("processes/evaluation-worker.ts"),
    data: at("processes/data-worker.ts"),
    report: at("processes/report-worker.ts"),
  },
});
const served = await openServedLab(lab, {
  port: Number(port),
  rendererDir: process.env.FEDFLEET_RENDERER ?? fileURLToPath(new URL("out/renderer/", root)),
  version: "preview",
});
console.log(served.url);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void served.close().then(() => process.exit(0)));
}
