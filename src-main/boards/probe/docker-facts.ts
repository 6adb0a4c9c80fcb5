import type { Architecture, BoardFacts } from "#contract/boards.ts";
import type { Sections } from "./sections.ts";

export interface DockerLook {
  readonly facts: BoardFacts["docker"];
  /** Podman answers to `docker` here. */
  readonly isPodman: boolean;
  /** From Canonical's snap, which may not read hidden folders. */
  readonly isSnap: boolean;
  /** DOCKER_HOST names something that is no unix socket. */
  readonly ignoredHost?: string;
}

const DEFAULT_SOCKET = "/var/run/docker.sock";

/** What is known of the board's engine. `memoryLimits` is what the kernel offers where the engine cannot be asked. */
export const readDocker = (sections: Sections): DockerLook => {
  const info = sections.json("docker-info");
  const version = sections.json("docker-version");
  const server = record(version?.Server);
  const socket = text(sections.first("socket")) ?? DEFAULT_SOCKET;
  const host = sections.first("docker-host");
  const installed = text(sections.first("dockerd"));
  const isPodman = sections.first("podman") !== "";
  const serverVersion = text(info?.ServerVersion) ?? text(server?.Version);
  const root = text(info?.DockerRootDir);
  const arch = architecture(text(server?.Arch) ?? text(info?.Architecture) ?? "");
  const state = readState(sections, socket, serverVersion, installed, isPodman);
  return {
    facts: {
      state,
      ...(state === "ready" && serverVersion !== undefined && { version: serverVersion }),
      socket,
      ...(state === "ready" && root !== undefined && { root }),
      ...(state === "ready" && arch !== "other" && { arch }),
      nvidiaRuntime: state === "ready" && Object.hasOwn(record(info?.Runtimes) ?? {}, "nvidia"),
      memoryLimits: typeof info?.MemoryLimit === "boolean" ? info.MemoryLimit : hasMemoryController(sections),
    },
    isPodman,
    isSnap: installed?.startsWith("/snap/") ?? false,
    ...(host !== "" && !host.startsWith("unix://") && { ignoredHost: host }),
  };
};

const readState = (
  sections: Sections,
  socket: string,
  serverVersion: string | undefined,
  installed: string | undefined,
  isPodman: boolean,
): BoardFacts["docker"]["state"] => {
  if (isPodman) return "missing";
  if (serverVersion !== undefined) return "ready";
  const access = sections.lines("sockets").find((line) => line.startsWith(`${socket} `));
  const said = ["docker-info", "docker-version"]
    .flatMap((name) => sections.get(name)?.lines ?? [])
    .join("\n");
  // An engine that has named itself runs, even where the rest of its answer was cut off.
  if (/^\s*\{"ID":"[^"]+"/m.test(said)) return "ready";
  // The socket's own rights decide; the program's words say it where the folder above cannot be entered.
  if (access?.endsWith(" no") || /permission denied/i.test(said)) return "denied";
  if (installed !== undefined || access !== undefined) return "stopped";
  return "missing";
};

/** What is unknown is not held against the board. */
const hasMemoryController = (sections: Sections): boolean =>
  sections.get("controllers")?.status !== 0 ||
  sections.lines("controllers").some((line) => {
    // cgroup v1's table ends each row with 1 or 0; v2's file names what is on.
    const words = line.trim().split(/\s+/);
    return words[0] === "memory" && words.length === 4 ? words[3] === "1" : words.includes("memory");
  });

/** From what `uname -m`, Go or Docker call it. */
export const architecture = (machine: string): Architecture => {
  if (/^(aarch64|arm64)$/.test(machine)) return "arm64";
  if (/^(x86_64|amd64)$/.test(machine)) return "x86-64";
  if (/^arm/.test(machine)) return "arm";
  if (/^(i[3-6]86|386|x86)$/.test(machine)) return "x86";
  return "other";
};

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value.slice(0, 500) : undefined;

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
