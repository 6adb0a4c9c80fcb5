/** Renders reports in a process of its own, so that the one that serves pages and devices stays free. */
import type { ForkChild } from "#contract/child.ts";
import { createChildJobs, createTurns } from "#contract/child-jobs.ts";
import type { ReportPorts } from "#main/hosts/page-api/reports-handlers.ts";
import type { ReportWork } from "./report-work.ts";

export interface ReportProcess {
  /** One at a time; a report whose page has left before its turn is not rendered. */
  readonly render: ReportPorts["render"];
  /** Undefined while no process is there. */
  readonly pid: number | undefined;
  /** Ends the process. To be awaited before the store is closed, which the child has open too. */
  close(): Promise<void>;
}

export interface ReportProcessOptions {
  readonly fork: ForkChild;
  /** The child's root. */
  readonly entry: URL;
  readonly dataDir: string;
  /** A process without work ends after this many milliseconds. @default 60000 */
  readonly idleMs?: number;
}

/** Starts no process yet: the first report does. */
export const createReportProcess = ({
  fork,
  entry,
  dataDir,
  idleMs,
}: ReportProcessOptions): ReportProcess => {
  const jobs = createChildJobs<ReportWork>({
    fork,
    entry,
    name: "fedfleet reports",
    called: "the process that renders reports",
    closing: "the lab is closing: the report was not rendered",
    idleMs,
  });
  const inTurn = createTurns("the page no longer wants this report");
  async function* fetchParts(report: number, count: number): AsyncGenerator<string, void> {
    for (let index = 0; index < count; index += 1) yield await jobs.ask("part", { report, index });
  }
  return {
    render: async (chosen, figure, format, asker) => {
      const work = () => jobs.ask("render", { dataDir, chosen, figure, format });
      const { report, encoding, count } = await inTurn(work, asker);
      return { encoding, count, parts: fetchParts(report, count) };
    },
    get pid() {
      return jobs.pid;
    },
    close: jobs.close,
  };
};
