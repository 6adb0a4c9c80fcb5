import { cpus, totalmem } from "node:os";
import { UserError } from "#contract/failure.ts";
import { type DatasetEntry, stateText } from "./dataset-command.ts";

/** One thing that was checked. */
export interface Finding {
  readonly what: string;
  /** "ready": usable now · "optional": missing, the lab works without it · "missing": something will not work. */
  readonly state: "ready" | "optional" | "missing";
  readonly detail: string;
  /** What to do about it, where something is missing. */
  readonly next?: string;
}

export interface DoctorPorts {
  engines(): Promise<
    readonly {
      kind: string;
      version: string;
      path: string;
      usable: boolean;
      reason?: string;
      chosen: boolean;
    }[]
  >;
  /** @throws UserError when the data directory cannot be opened, e.g. because a study runs in it. */
  openDatasets(): { list(): Promise<readonly DatasetEntry[]>; close(): Promise<void> };
  /** The version of the Docker Engine, or why it cannot be reached. */
  docker(): Promise<{ ok: true; version: string } | { ok: false; reason: string }>;
  readonly dataDir: string;
  readonly nodeVersion: string;
}

/** Checks what this computer can do. What is missing comes with the next step. */
export const examineComputer = async (ports: DoctorPorts): Promise<readonly Finding[]> => {
  const [engines, data, docker] = await Promise.all([ports.engines(), dataFindings(ports), ports.docker()]);
  return [
    nodeFinding(ports.nodeVersion),
    {
      what: "computer",
      state: "ready",
      detail: `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB memory`,
    },
    ...engineFindings(engines),
    ...data,
    docker.ok
      ? { what: "Docker Engine", state: "ready", detail: docker.version }
      : {
          what: "Docker Engine",
          state: "optional",
          detail: docker.reason,
          next: "Virtual devices and remote boards do not need it. On Debian or Ubuntu: sudo apt install docker.io",
        },
  ];
};

const nodeFinding = (version: string): Finding => {
  const major = Number(version.replace(/^v/, "").split(".")[0]);
  return major >= 24
    ? { what: "Node", state: "ready", detail: version }
    : {
        what: "Node",
        state: "missing",
        detail: `${version} is too old`,
        next: "Run npm ci, then start with npm run, which uses Node 24.",
      };
};

const engineFindings = (engines: Awaited<ReturnType<DoctorPorts["engines"]>>): Finding[] => {
  const chosen = engines.find((e) => e.chosen);
  const native = engines.some((e) => e.usable && e.kind !== "wasm");
  return [
    chosen === undefined
      ? {
          what: "engine",
          state: "missing",
          detail: `none is usable: ${engines.map((e) => `${e.kind}: ${e.reason ?? "usable, but not selected"}`).join("; ")}`,
          next: "If FEDFLEET_ENGINE is set, unset it; otherwise run npm ci again.",
        }
      : { what: "engine", state: "ready", detail: `${chosen.kind} ${chosen.version} (${chosen.path})` },
    ...(native
      ? []
      : [
          {
            what: "native engine",
            state: "optional",
            detail: "not installed; training runs on WebAssembly, several times slower",
            next: "Install it with: npm run -s fedfleet -- engine install",
          } as const,
        ]),
  ];
};

const dataFindings = async (ports: DoctorPorts): Promise<Finding[]> => {
  const what = "data directory";
  let datasets: ReturnType<DoctorPorts["openDatasets"]>;
  try {
    datasets = ports.openDatasets();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [
      {
        what,
        state: "optional",
        detail: error.message,
        next: "To see the data sets, run doctor again once the directory is free.",
      },
    ];
  }
  try {
    return [{ what, state: "ready", detail: ports.dataDir }, ...(await datasets.list()).map(datasetFinding)];
  } finally {
    await datasets.close();
  }
};

const datasetFinding = (d: DatasetEntry): Finding => ({
  what: `data set ${d.name}`,
  state: d.state === "ready" ? "ready" : d.state === "damaged" ? "missing" : "optional",
  detail: d.state === "ready" ? (d.where ?? "on this computer") : (d.problem ?? stateText(d)),
  ...(d.state === "ready" || d.next === undefined ? {} : { next: d.next }),
});

const MARK = { ready: "✓", optional: "·", missing: "✗" } as const;

export const renderFindings = (findings: readonly Finding[]): string =>
  findings
    .map((f) => `${MARK[f.state]} ${f.what}: ${f.detail}${f.next === undefined ? "" : `\n    ${f.next}`}`)
    .join("\n");
