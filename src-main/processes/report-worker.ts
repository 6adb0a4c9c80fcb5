/** Root of the process that renders reports, beside the lab. It wires rooms together and holds no logic. */
import { constants, setPriority } from "node:os";
import { answerJobs } from "#contract/child-jobs.ts";
import { createReportWork, type ReportWork } from "#main/lab/report-work.ts";
import { connectParent } from "./parent.ts";

try {
  // whoever serves pages goes first
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // not every system lets a process say so
}

answerJobs<ReportWork>(connectParent(), createReportWork());
