/** Starts a fleet, tells its workers' process ids, and lives until somebody kills it. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFleetLab } from "./virtual-lab.ts";

process.on("SIGINT", () => console.log("interrupted"));
const lab = await openFleetLab({ devices: 4, workers: 2, keptDir: join(tmpdir(), "fedfleet-kept-nothing") });
await lab.start();
await lab.joined(4);
console.log(JSON.stringify(lab.fleet.workers().map((worker) => worker.pid)));
