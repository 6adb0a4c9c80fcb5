/** Entry of the process that renders reports beside the lab. It wires rooms together and holds no logic. */
import { constants, setPriority } from "node:os";
import { answerJobs } from "#contract/child-jobs.ts";
import { createReportWork, type ReportWork } from "#main/lab/report-work.ts";
import { connectParent } from "./parent.ts";

try {
  // answering pages comes first
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // not every system allows it
}

answerJobs<ReportWork>(connectParent(), createReportWork());
