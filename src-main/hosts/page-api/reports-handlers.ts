import { setImmediate } from "node:timers/promises";
import { EXPORT_FORMATS, type ExportFormat } from "#contract/export-formats.ts";
import type { AtRound, Comparison, Exported, ExportPart, Figure } from "#contract/views.ts";
import { page } from "./base.ts";
import { fileName } from "./report-file.ts";

/** Runs of one study to compare. */
export interface Chosen {
  readonly study: string;
  /** In the order in which they appear. */
  readonly runs: readonly string[];
  /** The whole study was chosen. */
  readonly whole: boolean;
}

/** A file's text, or its bytes in base64, in parts. */
export interface Rendered {
  readonly encoding: Exported["encoding"];
  readonly count: number;
  /** Can be read once. */
  readonly parts: Iterable<string> | AsyncIterable<string>;
}

export interface ReportPorts {
  study(id: string): { readonly name: string; readonly rounds: number } | undefined;
  /** Ids, in the study's order. */
  runsOf(study: string): readonly string[];
  studyOf(run: string): string | undefined;
  compare(chosen: readonly Chosen[], figure: Figure): Promise<Comparison>;
  /** @param asker aborted when the page no longer wants it: then it need not be rendered. */
  render(
    chosen: readonly Chosen[],
    figure: Figure,
    format: ExportFormat,
    asker?: AbortSignal,
  ): Promise<Rendered>;
}

interface Subject {
  readonly studies: readonly string[];
  readonly runs: readonly string[];
  readonly at: AtRound;
}

type Refusal = { readonly missing: string } | { readonly problem: string };

/** Groups what was chosen by study: whole studies first, then single runs, each run once. */
const choose = (ports: ReportPorts, { studies, runs, at }: Subject): readonly Chosen[] | Refusal => {
  const whole = new Set(studies);
  const parts = new Map<string, string[]>();
  for (const run of new Set(runs)) {
    const study = ports.studyOf(run);
    if (study === undefined) return { missing: `There is no run ${run} any more: its study was deleted.` };
    if (whole.has(study)) continue;
    const part = parts.get(study);
    if (part === undefined) parts.set(study, [run]);
    else part.push(run);
  }
  let longest = 0;
  for (const id of [...whole, ...parts.keys()]) {
    const study = ports.study(id);
    if (study === undefined) return { missing: `There is no study ${id} any more: it was deleted.` };
    longest = Math.max(longest, study.rounds);
  }
  if (whole.size + parts.size === 0) {
    return { problem: "Choose at least one study or run to compare." };
  }
  if (typeof at === "number" && at > longest) {
    return { problem: `There is no round ${at}; the last round is ${longest}.` };
  }
  return [
    ...[...whole].map((study) => ({ study, runs: ports.runsOf(study), whole: true })),
    ...[...parts].map(([study, part]) => ({ study, runs: part, whole: false })),
  ];
};

export const reportHandlers = (ports: ReportPorts) => ({
  compare: page.reports.compare.handler(async ({ input, errors }): Promise<Comparison> => {
    const chosen = choose(ports, input);
    if ("missing" in chosen) throw errors.NOT_FOUND({ message: chosen.missing });
    if ("problem" in chosen) throw errors.PROBLEM({ message: chosen.problem, data: {} });
    return await ports.compare(chosen, input);
  }),

  render: page.reports.render.handler(async ({ input, errors, signal }) => {
    const chosen = choose(ports, input);
    if ("missing" in chosen) throw errors.NOT_FOUND({ message: chosen.missing });
    if ("problem" in chosen) throw errors.PROBLEM({ message: chosen.problem, data: {} });
    const { at, format } = input;
    const { encoding, count, parts } = await ports.render(
      chosen,
      { at, metric: input.metric },
      format,
      signal,
    );
    const studies = chosen.map(({ study: id }) => ({ id, name: ports.study(id)?.name ?? id }));
    const isWhole = chosen.every(({ whole }) => whole);
    const filename = fileName(studies, isWhole, at, format);
    const head = { filename, mediaType: EXPORT_FORMATS[format].mediaType, encoding, parts: count };
    return sendParts(head, parts, signal);
  }),
});

async function* sendParts(
  head: ExportPart,
  parts: Rendered["parts"],
  asker: AbortSignal | undefined,
): AsyncGenerator<ExportPart, void> {
  yield head;
  for await (const text of parts) {
    if (asker?.aborted) return;
    yield { text };
    // let other work run between two parts
    await setImmediate();
  }
}
