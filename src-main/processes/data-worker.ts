/** Entry of the process that reads and partitions data sets. It wires rooms together and holds no logic. */
import { createHash } from "node:crypto";
import { runDataWorkerHost } from "#main/datasets/data-worker-host.ts";
import { openStudy } from "#main/runs/open-study.ts";
import { connectParent } from "./parent.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

runDataWorkerHost({
  parent: connectParent(),
  deal: (study, labels) => openStudy(study, labels, sha256),
});
