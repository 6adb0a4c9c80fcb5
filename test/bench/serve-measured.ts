/**
 * Serves a lab to browsers as `fedfleet serve` does, and tells its parent how late its event loop was. Started with
 * fork; talks over IPC:
 *   in  {kind:"measure"} from now on · {kind:"report"} · {kind:"close"}
 *   out {kind:"serving", url} · {kind:"report", p50, p99, max} milliseconds late since the last "measure"
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { RENDERER_DIR } from "#main/hosts/ensure-built.ts";
import { openLab } from "#main/lab/open-lab.ts";
import { openServedLab } from "#main/lab/serve.ts";
import { forkNode } from "#main/processes/fork-node.ts";

const [dataDir = ""] = process.argv.slice(2);
const main = (file: string) => new URL(`../../src-main/${file}`, import.meta.url);
/** `monitorEventLoopDelay` counts its own interval in. */
const RESOLUTION_MS = 1;

const lab = openLab({
  dataDir,
  resourcesDir: fileURLToPath(new URL("../../resources/", import.meta.url)),
  fork: forkNode,
  entries: {
    device: main("processes/device-worker.ts"),
    evaluation: main("processes/evaluation-worker.ts"),
    data: main("processes/data-worker.ts"),
    report: main("processes/report-worker.ts"),
  },
});
const served = await openServedLab(lab, { port: 0, rendererDir: RENDERER_DIR, version: "bench" });
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

process.on("message", async (message: { readonly kind: string }) => {
  if (message.kind === "measure") {
    delay.enable();
    delay.reset();
  } else if (message.kind === "report") {
    const report = { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) };
    process.send?.({ kind: "report", ...report });
  } else if (message.kind === "close") {
    await served.close();
    process.disconnect();
  }
});
process.send?.({ kind: "serving", url: served.url });
