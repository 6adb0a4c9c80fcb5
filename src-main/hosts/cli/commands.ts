import { readFile, writeFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import type { Partition } from "#contract/dataset.ts";
import { roundDocument } from "#contract/documents.ts";
import type { LabEvent, RoundResult, RunStatus } from "#contract/events.ts";
import { EXPORT_FORMATS, type ExportFormat } from "#contract/export-formats.ts";
import { UserError } from "#contract/failure.ts";
import { parseStudy, type Study, type StudyProblem } from "#contract/study.ts";
import type { Read } from "./command-table.ts";
import { startProgress } from "./study-progress.ts";
import { createTerminal, type Screen, type Terminal } from "./terminal.ts";

/** A study with its runs and rounds, for `--json` and `export`. */
export interface StudyWithRounds {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly status: string;
  readonly study: Study;
  readonly classes: readonly string[];
  /** Undefined where clients bring their own data. */
  readonly partition: Partition | undefined;
  readonly datasetSha?: string;
  readonly runs: readonly {
    readonly id: string;
    readonly algorithm: string;
    readonly trial: number;
    readonly seed: number;
    readonly status: RunStatus;
    readonly reason?: string;
    readonly engine?: unknown;
    readonly rounds: readonly RoundResult[];
  }[];
}

/** What the commands need from an open lab. */
export interface CommandLab {
  open(study: Study): Promise<{ ok: true; id: string } | { ok: false; problems: StudyProblem[] }>;
  conduct(
    id: string,
    control: { readonly afterRound: AbortSignal; readonly now: AbortSignal },
  ): Promise<string>;
  subscribe(listener: (event: LabEvent) => void): () => void;
  latestInterrupted(): string | undefined;
  record(id: string): StudyWithRounds | undefined;
  list(): readonly {
    id: string;
    name: string;
    createdAt: string;
    status: string;
    runs: number;
    runsDone: number;
  }[];
  /** Text that ends with a line break, or a workbook's bytes. */
  render(
    record: StudyWithRounds,
    format: ExportFormat,
    figure: { readonly at: string; readonly metric?: string | undefined },
  ): Promise<string | Uint8Array>;
}

export interface CommandDeps {
  readonly lab: CommandLab;
  readonly stdout: { write(text: string | Uint8Array): unknown };
  readonly screen: Screen;
  /** Calls back at each Ctrl-C (or SIGTERM). @returns what ends that. */
  onInterrupt(listener: () => void): () => void;
}

/** Exit code of a study that was stopped and can be resumed: the shell's own code for Ctrl-C. */
export const EXIT_INTERRUPTED = 130;

/**
 * Reads and checks a study file.
 * @throws UserError that names the file, and each invalid field by its path.
 */
export const readStudyFile = async (file: string): Promise<Study> => {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "file not found" : String(error);
    throw new UserError(`${file}: ${reason}`, { cause: error });
  }
  // JSON is YAML, so this reads both.
  const document = parseDocument(text, { prettyErrors: true });
  const broken = document.errors[0];
  if (broken !== undefined) throw new UserError(`${file}: ${broken.message.trim()}`);
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    throw new UserError(`${file}: ${(error as Error).message}`, { cause: error });
  }
  const parsed = parseStudy(content);
  if (!parsed.ok) throw problemsError(file, parsed.problems);
  return parsed.study;
};

const problemsError = (file: string, problems: readonly StudyProblem[]): UserError =>
  new UserError(
    [
      `${file} is not a valid study:`,
      ...problems.map((p) => `  ${p.path || "(the file)"}: ${p.message}`),
    ].join("\n"),
  );

export const runCommand = async (command: Read<"run">, study: Study, deps: CommandDeps): Promise<number> => {
  const opened = await deps.lab.open(study);
  if (!opened.ok) throw problemsError(command.file, opened.problems);
  return await conductAndPrint(opened.id, command.json, deps);
};

export const resumeCommand = async (command: Read<"resume">, deps: CommandDeps): Promise<number> => {
  const id = command.study ?? deps.lab.latestInterrupted();
  if (id === undefined) {
    deps.screen.write("There is no interrupted study to resume.\n");
    if (command.json) deps.stdout.write("null\n");
    return 0;
  }
  return await conductAndPrint(id, command.json, deps);
};

const conductAndPrint = async (id: string, json: boolean, deps: CommandDeps): Promise<number> => {
  const { lab } = deps;
  const before = lab.record(id);
  if (before === undefined) throw new UserError(noStudy(id));
  const isOver = (run: { status: RunStatus }) => run.status === "done" || run.status === "failed";
  const terminal = createTerminal(
    deps.screen,
    startProgress({
      name: before.name,
      runs: before.runs.length,
      runsDone: before.runs.filter(isOver).length,
    }),
  );
  terminal.say(headline(before));
  const stopNow = new AbortController();
  const stopAfterRound = new AbortController();
  const control = { afterRound: stopAfterRound.signal, now: stopNow.signal };
  const unsubscribe = lab.subscribe((event) => terminal.show(event));
  const offInterrupt = deps.onInterrupt(() => interrupt(stopAfterRound, stopNow, terminal));
  let status: string;
  try {
    status = before.runs.every(isOver) ? before.status : await lab.conduct(id, control);
  } finally {
    offInterrupt();
    unsubscribe();
    terminal.end();
  }
  const record = lab.record(id);
  if (record === undefined) throw new Error(`study ${id} vanished from the store`);
  if (status === "interrupted")
    deps.screen.write(`Stopped. Resume with: npm run -s fedfleet -- resume ${id}\n`);
  if (json) deps.stdout.write(`${JSON.stringify(studyDocument(record), null, 2)}\n`);
  else if (record.runs.some((run) => run.status === "done")) {
    deps.stdout.write(`\n${await lab.render(record, "text", { at: "last" })}`);
    deps.screen.write(`\nTable for a paper: npm run -s fedfleet -- export ${id} --format latex\n`);
  }
  if (status === "interrupted") return EXIT_INTERRUPTED;
  return record.runs.some((run) => run.status !== "done") ? 1 : 0;
};

const noStudy = (id: string): string => `there is no study ${id}; fedfleet list shows the ids`;

const headline = (record: StudyWithRounds): string => {
  const { study } = record;
  const runs = `${record.runs.length} run${record.runs.length === 1 ? "" : "s"}`;
  const trials = study.trials === 1 ? "" : ` × ${study.trials} trials`;
  return `${record.name} (${record.id}): ${runs} (${study.algorithms.join(", ")}${trials}) of ${study.rounds} round${study.rounds === 1 ? "" : "s"}, ${study.model} on ${study.dataset}`;
};

const interrupt = (stopAfterRound: AbortController, stopNow: AbortController, terminal: Terminal) => {
  if (!stopAfterRound.signal.aborted) {
    stopAfterRound.abort();
    terminal.stopping();
  } else {
    stopNow.abort(new Error("stopped by Ctrl-C"));
  }
};

/** The document of `--json`: `rounds` start at 1; `initial` is the evaluation of the initial weights. */
const studyDocument = (record: StudyWithRounds) => ({
  study: {
    id: record.id,
    name: record.name,
    createdAt: record.createdAt,
    status: record.status,
    classes: record.classes,
    settings: record.study,
    datasetSha256: record.datasetSha ?? null,
    // Without the index lists, which are long: their hash identifies them, and the database keeps them.
    partition: record.partition
      ? {
          kind: record.partition.kind,
          sha256: record.partition.sha256,
          histogram: record.partition.histogram,
        }
      : null,
  },
  runs: record.runs.map((run) => ({
    ...run,
    initial: run.rounds.filter((r) => r.round === 0).map(roundDocument)[0] ?? null,
    rounds: run.rounds.filter((r) => r.round > 0).map(roundDocument),
  })),
});

export const exportCommand = async (command: Read<"export">, deps: CommandDeps): Promise<number> => {
  const record = deps.lab.record(command.study);
  if (record === undefined) {
    throw new UserError(noStudy(command.study));
  }
  const content = await exported(command, record, deps.lab);
  if (command.out === undefined) {
    deps.stdout.write(content);
    return 0;
  }
  try {
    await writeFile(command.out, content);
  } catch (error) {
    throw new UserError(`--out ${command.out}: ${(error as Error).message}`, { cause: error });
  }
  deps.screen.write(`wrote ${command.out}\n`);
  return 0;
};

const exported = async (
  { format, at, metric, out }: Read<"export">,
  record: StudyWithRounds,
  lab: CommandLab,
): Promise<string | Uint8Array> => {
  if (Number(at) > record.study.rounds) {
    throw new UserError(`--at ${at}: this study has ${record.study.rounds} rounds`);
  }
  const content = await lab.render(record, format, { at, metric });
  if (typeof content !== "string" && out === undefined) {
    throw new UserError(
      `--format ${format} is a binary format; name a file with --out FILE.${EXPORT_FORMATS[format].extension}`,
    );
  }
  return content;
};

export const listCommand = (command: Read<"list">, deps: CommandDeps): number => {
  const studies = deps.lab.list();
  if (command.json) deps.stdout.write(`${JSON.stringify(studies, null, 2)}\n`);
  else if (studies.length === 0) deps.stdout.write("No studies yet. Try: npm run demo\n");
  for (const s of command.json ? [] : studies) {
    deps.stdout.write(
      `${s.id}  ${s.createdAt.slice(0, 16).replace("T", " ")}  ${s.status.padEnd(11)}  ${s.runsDone} of ${s.runs} runs  ${s.name}\n`,
    );
  }
  return 0;
};
