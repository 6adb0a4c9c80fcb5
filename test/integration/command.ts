import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { StudyInput } from "#contract/study.ts";

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
  /** Resolves when stderr contains the text. */
  said(text: string | RegExp): Promise<void>;
}

/** Starts the command line as a person would, in a process of its own. */
export const startFedfleet = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Started => {
  const child = spawn(process.execPath, ["src-main/cli.ts", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    for (const watcher of watchers) watcher();
  });
  const done = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout, stderr });
      for (const watcher of watchers) watcher();
    });
  });
  return {
    child,
    done,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (typeof text === "string" ? stderr.includes(text) : text.test(stderr)) {
            watchers.delete(look);
            resolve();
          } else if (child.exitCode !== null || child.signalCode !== null) {
            watchers.delete(look);
            reject(new Error(`it ended without saying ${text}:\n${stderr}`));
          }
        };
        watchers.add(look);
        look();
      }),
  };
};

export const fedfleet = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  startFedfleet(args, env).done;

/** A folder that is gone after the test. */
export const scratchFolder = (): { path: string; remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), "fedfleet-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
};

export const writeStudy = (
  folder: string,
  study: StudyInput | Record<string, unknown>,
  name = "study",
): string => {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, stringify(study));
  return file;
};

/** The part of `--json` that the tests look at. */
export interface StudyDocument {
  readonly study: {
    readonly id: string;
    readonly name: string;
    readonly status: string;
    readonly partition: { readonly sha256: string; readonly histogram: readonly (readonly number[])[] };
  };
  readonly runs: readonly {
    readonly id: string;
    readonly algorithm: string;
    readonly trial: number;
    readonly seed: number;
    readonly status: string;
    readonly reason?: string;
    readonly rounds: readonly {
      readonly round: number;
      readonly loss: number | null;
      readonly accuracy: number | null;
      readonly metrics: Readonly<Record<string, number | null>>;
      readonly clients: readonly string[];
      readonly failures: readonly {
        readonly code: string;
        readonly device?: string;
        readonly cause: string;
      }[];
      readonly weightsSha256: string;
    }[];
  }[];
}

export const documentOf = (finished: Finished): StudyDocument => {
  try {
    return JSON.parse(finished.stdout) as StudyDocument;
  } catch {
    throw new Error(`no JSON on stdout (exit ${finished.code}):\n${finished.stdout}\n${finished.stderr}`);
  }
};

/** What must be equal when a study is repeated: everything but ids and times. */
export const figures = (document: StudyDocument) =>
  document.runs.map((run) => ({
    algorithm: run.algorithm,
    trial: run.trial,
    seed: run.seed,
    rounds: run.rounds.map((r) => [r.round, r.loss, r.accuracy, r.weightsSha256, r.clients.join()]),
  }));
