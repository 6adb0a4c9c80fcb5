/** Tables as files, for the command line and for pages alike. */
import { setImmediate } from "node:timers/promises";
import type { ExportFormat } from "#contract/export-formats.ts";
import { UserError } from "#contract/failure.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import type { Figure } from "#contract/views.ts";
import type { Chosen, Rendered, ReportPorts } from "#main/hosts/page-api/reports-handlers.ts";
import { compare } from "#main/reports/compare.ts";
import type { ComparedStudy } from "#main/reports/compared.ts";
import { writeReport } from "#main/reports/formats.ts";
import { jointReport, type Report, studyReport } from "#main/reports/report.ts";
import type { Sheet } from "#main/reports/sheets.ts";
import { type ReportInput, type ReportRound, type ReportRun, reportedIn } from "#main/reports/summary.ts";
import type { Store } from "#main/store/store.ts";

/** A study with its runs as the table of one study takes it. */
export const reportInput = ({
  id,
  name,
  settings,
  classes,
  runs,
}: Pick<ComparedStudy, "id" | "name" | "settings" | "classes"> & {
  readonly runs: readonly ReportRun[];
}): ReportInput => ({
  study: { id, name, model: settings.model, dataset: settings.dataset, rounds: settings.rounds },
  metrics: metricsOf(settings, reportedIn(runs), classes.length),
  runs,
});

/** A report as a file: text that ends with one line break, or the bytes of a workbook. */
export const reportFile = async (report: Report, format: ExportFormat): Promise<string | Uint8Array> => {
  const content = writeReport(report, format);
  return typeof content === "string" ? endLine(content) : await workbook(content);
};

const endLine = (text: string): string => `${text.trimEnd()}\n`;

const workbook = async (sheets: readonly Sheet[]): Promise<Uint8Array> => {
  // Loaded only when it is asked for: nothing else needs it.
  const { default: writeExcelFile } = await import("write-excel-file/node");
  return await writeExcelFile([...sheets]).toBuffer();
};

/** The chosen runs with their rounds, as far as `roundsOf` reads them. Between two runs others have their turn. */
const read = async (
  store: Store,
  chosen: readonly Chosen[],
  roundsOf: (run: string) => readonly ReportRound[],
): Promise<ComparedStudy[]> => {
  const studies: ComparedStudy[] = [];
  for (const { study: id, runs: ids } of chosen) {
    const study = store.reportRows.study(id);
    const byId = new Map(store.runs.of(id).map((run) => [run.id, run]));
    const runs: ComparedStudy["runs"][number][] = [];
    for (const one of ids) {
      const run = byId.get(one);
      // it may have been removed while others had their turn
      if (run !== undefined) runs.push({ ...run, rounds: roundsOf(one) });
      await setImmediate();
    }
    if (study !== undefined) studies.push({ ...study, runs });
  }
  return studies;
};

/**
 * What pages take away: a file's text, or its bytes.
 * @throws UserError when nothing of what was chosen is there any more
 */
export const renderReport = async (
  store: Store,
  chosen: readonly Chosen[],
  figure: Figure,
  format: ExportFormat,
): Promise<string | Uint8Array> => {
  const [only, ...more] = chosen;
  if (only === undefined) throw new Error("no study or run is chosen");
  const isOneStudy = only.whole && more.length === 0;
  // the JSON of one study has everything that is known of its rounds
  const roundsOf = isOneStudy && format === "json" ? store.rounds.of : store.reportRows.rounds;
  const studies = await read(store, chosen, roundsOf);
  const [study] = studies;
  if (study === undefined) {
    throw new UserError(`The study ${only.study} was deleted. Choose another one.`);
  }
  const report = isOneStudy ? studyReport(reportInput(study), figure) : jointReport(studies, figure);
  return await reportFile(report, format);
};

/** Sent in a few milliseconds each. */
const PART = 256 * 1024;

/** As a page gets it. */
export const inParts = (content: string | Uint8Array): Rendered & { readonly parts: readonly string[] } => {
  const isText = typeof content === "string";
  const text = isText ? content : Buffer.from(content).toString("base64");
  const parts: string[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + PART, text.length);
    // never between the two halves of a character
    if (to < text.length && /[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to += 1;
    parts.push(text.slice(from, to));
    from = to;
  }
  return { encoding: isText ? "utf8" : "base64", count: parts.length, parts };
};

/** What pages compare and take away, from the store. `render` is `renderReport` in parts, wherever it keeps nobody waiting. */
export const createReportPorts = (store: Store, render: ReportPorts["render"]): ReportPorts => ({
  study(id) {
    const found = store.studyRows.get(id);
    return found && { name: found.name, rounds: found.rounds };
  },
  runsOf: (study) => store.runs.of(study).map(({ id }) => id),
  studyOf: (run) => store.runs.get(run)?.study,

  async compare(chosen, { at, metric }) {
    const curves = new Map<string, ReturnType<Store["rounds"]["columns"]>>();
    const studies = await read(store, chosen, (run) => {
      const curve = store.rounds.columns(run);
      curves.set(run, curve);
      const firstWeights = store.reportRows.firstWeights(run);
      return curve.round.map((round, i) => ({
        round,
        metrics: Object.fromEntries(
          Object.entries(curve.metrics).map(([id, values]) => [id, values[i] ?? null]),
        ),
        ...(round === 0 && firstWeights !== undefined ? { weightsSha256: firstWeights } : {}),
      }));
    });
    return { ...compare(studies, at, metric).comparison, curves: [...curves.values()] };
  },

  render,
});
