import { traitsOf } from "#contract/algorithms/algorithms.ts";
import type { BoardSummary } from "#contract/boards.ts";
import { virtualNames } from "#contract/fleet.ts";
import type { Study } from "#contract/study.ts";
import type { Activity, EngineView, ReadyCheck } from "#contract/views.ts";
import { byteText } from "./byte-text.ts";
import type { Entry } from "./dataset-view.ts";

/** The data set that comes with the lab, and so is always there. */
const BUNDLED = "fashion-mnist-sample";

const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** @param entry undefined where there is no such data set */
export const dataChecks = (
  name: string,
  entry: (Entry & { readonly registered: boolean }) | undefined,
  bundledIsReady: boolean,
): ReadyCheck[] => {
  if (entry?.state === "ready") {
    return [{ kind: "data", state: "ok", text: `${entry.title} is on this computer.` }];
  }
  const bytes = entry?.downloadBytes;
  const text =
    entry === undefined
      ? `There is no data set called ${name}.`
      : entry.state === "damaged"
        ? `${name} is damaged: ${entry.problem ?? "its files have changed"}`
        : `${name} is not on this computer.`;
  const checks: ReadyCheck[] = [
    {
      kind: "data",
      state: "missing",
      text,
      mend:
        bytes === undefined
          ? { do: "go", page: "data", label: "Open the data page" }
          : { do: "download", dataset: name, label: `Download ${byteText(bytes)}` },
    },
  ];
  if (bundledIsReady && name !== BUNDLED) {
    checks.push({
      kind: "data",
      state: "warning",
      text: "The Fashion-MNIST sample that comes with the lab needs no download.",
      mend: { do: "set", patch: { dataset: BUNDLED }, label: "Use the bundled sample" },
    });
  }
  return checks;
};

export const deviceChecks = (
  study: Study,
  workers: number,
  listen: { readonly host: string; readonly port: number },
): ReadyCheck[] => {
  const virtual = virtualNames(study.fleet).length;
  const external = study.fleet.external ?? 0;
  const checks: ReadyCheck[] = [];
  if (virtual > 0) {
    checks.push({
      kind: "devices",
      state: "ok",
      text: `${counted(virtual, "virtual device")} on this computer, ${counted(workers, "worker process", "worker processes")}.`,
    });
  }
  if (external > 0) {
    const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
    checks.push({
      kind: "devices",
      state: "warning",
      text: `The study waits for ${counted(external, "Flower client")} to connect to ${host}:${listen.port}.`,
    });
  }
  return checks;
};

/** One line for all boards that are ready, and one for each board that is not. */
export const boardChecks = (
  study: Study,
  boardOf: (name: string) => BoardSummary | undefined,
): ReadyCheck[] => {
  const checks: ReadyCheck[] = [];
  const named = (study.fleet.devices ?? []).flatMap((name) => {
    const board = boardOf(name);
    return board === undefined ? [] : { name, board };
  });
  const mend = { do: "go", page: "fleet", label: "Open the fleet" } as const;
  let ready = 0;
  for (const { name, board } of named) {
    if (board.setup === "needed" || board.setup === "running" || board.setup === "unsupported") {
      const why =
        board.setup === "needed"
          ? "is not set up yet"
          : board.setup === "running"
            ? "is being set up"
            : "cannot run the client";
      checks.push({
        kind: "devices",
        state: board.setup === "running" ? "warning" : "missing",
        text: `${name} ${why}.`,
        mend,
      });
    } else if (board.state !== "online") {
      const why =
        board.problem === undefined ? "is not connected" : `is not connected: ${board.problem.title}`;
      checks.push({
        kind: "devices",
        state: "warning",
        text: `${name} ${why}. The study will wait for it.`,
        mend,
      });
    } else ready += 1;
  }
  if (ready > 0)
    checks.unshift({ kind: "devices", state: "ok", text: `${counted(ready, "board")} ready over SSH.` });
  return checks;
};

const MEND_WASM =
  "For several times the speed, install the native engine: npm run -s fedfleet -- engine install";

/** @param engines undefined until they have been checked */
export const engineCheck = (study: Study, engines: readonly EngineView[] | undefined): ReadyCheck[] => {
  const computes = virtualNames(study.fleet).length > 0 || study.evaluation.central;
  if (!computes) return [];
  const kind = "engine";
  if (engines === undefined) {
    return [{ kind, state: "warning", text: "Checking the engines of this computer …" }];
  }
  const chosen = engines.find((engine) => engine.chosen);
  if (chosen === undefined) {
    const why = engines.flatMap(({ kind: name, note }) => (note === undefined ? [] : [`${name}: ${note}`]));
    return [{ kind, state: "missing", text: `No engine is usable. ${why.join("; ")}`.trim() }];
  }
  const named = `${chosen.kind}${chosen.version === undefined ? "" : ` ${chosen.version}`}`;
  return chosen.kind === "wasm"
    ? [{ kind, state: "warning", text: `Training on WebAssembly (slow). ${MEND_WASM}` }]
    : [{ kind, state: "ok", text: `Training on ${named}.` }];
};

export interface MemoryFacts {
  readonly workers: number;
  /** Worker processes with unlimited memory. */
  readonly wantedWorkers: number;
  readonly workerBytes: number;
  readonly modelBytes: number;
  readonly clientsPerRound: number;
  readonly freeBytes: number;
}

export const memoryCheck = (study: Study, facts: MemoryFacts): ReadyCheck[] => {
  const { workers, wantedWorkers, workerBytes, modelBytes, clientsPerRound, freeBytes } = facts;
  const processes = virtualNames(study.fleet).length > 0 ? workers : 0;
  // the global weights, their sum and the encoded copy, or all updates of a round
  const held = study.algorithms.some((name) => traitsOf(name).needsAllUpdates) ? clientsPerRound + 2 : 4;
  const needed = processes * workerBytes + held * modelBytes;
  const text = `Needs about ${byteText(needed)} of memory; ${byteText(freeBytes)} free`;
  if (needed > freeBytes) {
    return [
      {
        kind: "memory",
        state: "warning",
        text: `${text}. Close other programs, or choose a smaller model.`,
      },
    ];
  }
  if (processes > 0 && workers < wantedWorkers) {
    return [
      {
        kind: "memory",
        state: "warning",
        text: `${text}, enough for ${workers} of ${counted(wantedWorkers, "worker process", "worker processes")}. Rounds will take longer.`,
      },
    ];
  }
  return [{ kind: "memory", state: "ok", text: `${text}.` }];
};

/** Per run: the last round and the best one. */
const KEPT_PER_RUN = 2;

/** Most bytes that a study's checkpoints take: those that are kept, and the one being written. */
export const checkpointBytes = (study: Study, modelBytes: number): number => {
  const sizes = study.algorithms.map((name) => (1 + (traitsOf(name).momentsPerWeight ?? 0)) * modelBytes);
  return sizes.reduce((sum, size) => sum + KEPT_PER_RUN * study.trials * size, 0) + Math.max(...sizes);
};

export const diskCheck = (needed: number, freeBytes: number, dataDir: string): ReadyCheck => {
  const text = `Checkpoints take up to ${byteText(needed)}; ${byteText(freeBytes)} free in ${dataDir}`;
  if (needed > freeBytes) return { kind: "disk", state: "missing", text: `${text}. Free some disk space.` };
  return { kind: "disk", state: needed > freeBytes / 2 ? "warning" : "ok", text: `${text}.` };
};

export const queueCheck = (activity: Activity, nameOf: (study: string) => string): ReadyCheck => {
  const last = activity.queue.at(-1) ?? activity.study;
  if (last === undefined) return { kind: "queue", state: "ok", text: "Queue empty: starts immediately." };
  const place = activity.queue.length + 1;
  return { kind: "queue", state: "warning", text: `Queued (#${place}): starts after ${nameOf(last)}.` };
};
