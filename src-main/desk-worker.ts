/** Root of the process that reads data sets and deals them out. It wires rooms together and holds no logic. */
import { createHash } from "node:crypto";
import { runDeskHost } from "#main/datasets/desk-host.ts";
import { connectParent } from "#main/hosts/parent.ts";
import { openStudy } from "#main/runs/open-study.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

runDeskHost({
  parent: connectParent(),
  deal: (study, labels) => openStudy(study, labels, sha256),
});
