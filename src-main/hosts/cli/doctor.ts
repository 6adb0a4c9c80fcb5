import { cpus, totalmem } from "node:os";
import { UserError } from "#contract/failure.ts";
import type { DatasetEntry } from "./dataset-command.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly what: string;
  /** "ready": usable now · "optional": missing, but the lab works without it · "missing": something will not work. */
  readonly state: "ready" | "optional" | "missing";
  readonly detail: string;
  /** The next step, where something is missing. */
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
  /** The Docker Engine's version, or why it cannot be reached. */
  docker(): Promise<{ ok: true; version: string } | { ok: false; reason: string }>;
  readonly dataDir: string;
  readonly nodeVersion: string;
}

/** What this computer can do, with the next step for each thing that is missing. */
export const examine = async (ports: DoctorPorts): Promise<readonly Finding[]> => {
  const [engines, data, docker] = await Promise.all([ports.engines(), dataFindings(ports), ports.docker()]);
  return [
    nodeFinding(ports.nodeVersion),
    {
      what: "computer",
      state: "ready",
      detail: `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory`,
    },
    ...engineFindings(engines),
    ...data,
    docker.ok
      ? { what: "Docker Engine", state: "ready", detail: docker.version }
      : {
          what: "Docker Engine",
          state: "optional",
          detail: docker.reason,
          next: "Only boards need it, not virtual devices. On Debian or Ubuntu: sudo apt install docker.io",
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
        next: "Run npm ci, and start with npm run: it uses Node 24.",
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
          detail: `none can be used: ${engines.map((e) => `${e.kind}: ${e.reason ?? "usable, but not asked for"}`).join("; ")}`,
          next: "Unset FEDFLEET_ENGINE if it names one of these, or run npm ci again.",
        }
      : { what: "engine", state: "ready", detail: `${chosen.kind} ${chosen.version} (${chosen.path})` },
    ...(native
      ? []
      : [
          {
            what: "native engine",
            state: "optional",
            detail: "training runs on wasm, several times slower",
            next: "npm run -s fedfleet -- engine install",
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
      { what, state: "optional", detail: error.message, next: "Ask again then, to see the data sets." },
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
  detail: d.state === "ready" ? (d.where ?? "here") : (d.problem ?? d.state),
  ...(d.state === "ready" || d.next === undefined ? {} : { next: d.next }),
});

const MARK = { ready: "✓", optional: "·", missing: "✗" } as const;

export const renderFindings = (findings: readonly Finding[]): string =>
  findings
    .map((f) => `${MARK[f.state]} ${f.what}: ${f.detail}${f.next === undefined ? "" : `\n    ${f.next}`}`)
    .join("\n");
