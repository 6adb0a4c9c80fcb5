import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PictureSet } from "#contract/dataset.ts";
import { npyHeader } from "#main/wire/npy.ts";
import { pythonOf } from "#test/setup/flwr.ts";

const SCRIPTS = fileURLToPath(new URL("../../device-scripts", import.meta.url));

/** What the client tells on its standard output. */
export interface ClientEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface PythonClient {
  readonly child: ChildProcess;
  readonly events: readonly ClientEvent[];
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Starts device-scripts' client in a process of its own, as a person would. */
export const startPythonClient = (
  args: readonly string[],
  command: readonly string[] = ["-m", "fedfleet_client"],
): PythonClient => {
  const child = spawn(pythonOf("1.11.1"), ["-B", ...command, ...args], {
    cwd: SCRIPTS,
    env: { ...process.env, OMP_NUM_THREADS: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const events: ClientEvent[] = [];
  let rest = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) events.push(JSON.parse(line) as ClientEvent);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stderr }));
  });
  return { child, events, ended };
};

/** Some of a set as the client reads it from the lab: two arrays, named after their SHA-256. */
const arraysOf = (folder: string, set: PictureSet, indices: readonly number[]) => {
  const size = set.height * set.width * set.channels;
  const images = Buffer.concat(indices.map((i) => set.pixels.subarray(i * size, (i + 1) * size)));
  const labels = Buffer.from(indices.map((i) => set.labels[i]!));
  const put = (shape: readonly number[], bytes: Buffer): string => {
    const file = Buffer.concat([npyHeader("uint8", shape), bytes]);
    const sha256 = createHash("sha256").update(file).digest("hex");
    writeFileSync(join(folder, `${sha256}.npy`), file);
    return sha256;
  };
  return {
    images: put([indices.length, set.height, set.width, set.channels], images),
    labels: put([indices.length], labels),
  };
};

export interface PartInput {
  readonly folder: string;
  readonly name: string;
  readonly dataset: {
    readonly name: string;
    readonly classes: readonly string[];
    readonly mean: readonly number[];
    readonly std: readonly number[];
    readonly train: PictureSet;
    readonly test: PictureSet;
  };
  readonly train: readonly number[];
  readonly test: readonly number[];
  /** The device has the data set itself. */
  readonly numbersOnly?: boolean;
}

/** Writes a part file, and the arrays that it names; returns its path. */
export const writePart = ({ folder, name, dataset, train, test, numbersOnly }: PartInput): string => {
  const { classes, mean, std } = dataset;
  const common = { version: 1, dataset: dataset.name, classes, mean, std };
  const part =
    numbersOnly === true
      ? { ...common, folder: true, train: { indices: train }, test: { indices: test } }
      : {
          ...common,
          train: arraysOf(folder, dataset.train, train),
          test: arraysOf(folder, dataset.test, test),
        };
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(part));
  return path;
};
