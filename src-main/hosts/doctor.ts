import { cpus, totalmem } from "node:os";

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
  datasets(): Promise<
    readonly {
      name: string;
      state: string;
      where?: string | undefined;
      problem?: string | undefined;
      next?: string | undefined;
    }[]
  >;
  /** The Docker Engine's version, or why it cannot be reached. */
  docker(): Promise<{ ok: true; version: string } | { ok: false; reason: string }>;
  readonly dataDir: string;
  readonly nodeVersion: string;
}

/** What this computer can do, with the next step for each thing that is missing. */
export const examine = async (ports: DoctorPorts): Promise<readonly Finding[]> => {
  const [engines, datasets, docker] = await Promise.all([ports.engines(), ports.datasets(), ports.docker()]);
  return [
    nodeFinding(ports.nodeVersion),
    {
      what: "computer",
      state: "ready",
      detail: `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory`,
    },
    { what: "data directory", state: "ready", detail: ports.dataDir },
    ...engineFindings(engines),
    ...datasets.map(datasetFinding),
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
      ? { what: "engine", state: "missing", detail: "no engine can be used", next: "Run npm ci again." }
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

const datasetFinding = (d: Awaited<ReturnType<DoctorPorts["datasets"]>>[number]): Finding => ({
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
