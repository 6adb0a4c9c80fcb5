/** What the process that renders reports does for its parent. */

import type { ExportFormat } from "#contract/export-formats.ts";
import { UserError } from "#contract/failure.ts";
import type { Figure } from "#contract/views.ts";
import type { Chosen, Rendered } from "#main/hosts/page-api/reports-handlers.ts";
import { openStore } from "#main/store/store.ts";
import { inParts, renderReport } from "./report-files.ts";

/** A report is rendered, then fetched part by part: no more of it than that is in the parent's memory at a time. */
export interface ReportWork {
  render: {
    takes: {
      readonly dataDir: string;
      readonly chosen: readonly Chosen[];
      readonly figure: Figure;
      readonly format: ExportFormat;
    };
    gives: { readonly report: number; readonly encoding: Rendered["encoding"]; readonly count: number };
  };
  part: { takes: { readonly report: number; readonly index: number }; gives: string };
}

/** Most reports kept for fetching: the child does not know whether a page still wants one. */
const MOST_KEPT = 4;

type Does = {
  readonly [K in keyof ReportWork]: (takes: ReportWork[K]["takes"]) => Promise<ReportWork[K]["gives"]>;
};

export const createReportWork = (): Does => {
  const kept = new Map<number, readonly string[]>();
  let report = 0;
  return {
    async render({ dataDir, chosen, figure, format }) {
      // for this report only: what is idle holds no file
      const store = openStore({ dataDir, look: true });
      try {
        const { encoding, count, parts } = inParts(await renderReport(store, chosen, figure, format));
        report += 1;
        kept.set(report, parts);
        for (const oldest of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(oldest);
        return { report, encoding, count };
      } finally {
        store.close();
      }
    },
    async part({ report, index }) {
      const parts = kept.get(report);
      const text = parts?.[index];
      if (parts === undefined || text === undefined) {
        throw new UserError(
          "The file is no longer available, because it was not downloaded in time. Export it again.",
        );
      }
      if (index === parts.length - 1) kept.delete(report);
      return text;
    },
  };
};
