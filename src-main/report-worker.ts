/** Root of the process that renders reports, beside the lab. It wires rooms together and holds no logic. */
import { constants, setPriority } from "node:os";
import { answerJobs } from "#contract/child-jobs.ts";
import { connectParent } from "#main/hosts/parent.ts";
import { openStore } from "#main/store/store.ts";
import { renderReport } from "./report-files.ts";
import type { ReportWork } from "./report-process.ts";

try {
  // whoever serves pages goes first
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // not every system lets a process say so
}

answerJobs<ReportWork>(connectParent(), {
  async render({ dataDir, chosen, at, format }) {
    // for this report only: what is idle holds no file
    const store = openStore({ dataDir, look: true });
    try {
      return await renderReport(store, chosen, at, format);
    } finally {
      store.close();
    }
  },
});
