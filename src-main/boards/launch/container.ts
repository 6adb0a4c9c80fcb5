import type { ContainerCreateOptions } from "dockerode";
import { LABELS } from "#main/boards/board-ports.ts";

export interface ClientContainer {
  readonly lab: string;
  readonly study: string;
  readonly run: string;
  readonly device: string;
  readonly image: string;
  readonly gpu: boolean;
  /** The client's, after the address of its server. */
  readonly arguments: readonly string[];
  /** "unix:…": no network at all · "127.0.0.1:…": the board's own. */
  readonly way:
    | { readonly kind: "socket" }
    | { readonly kind: "port"; readonly port: number; readonly token: string };
  /** The user who signed in: the client may read what this user may read. */
  readonly user: string;
  readonly groups: readonly string[];
  /** Folders on the board. */
  readonly folders: {
    readonly run: string;
    readonly data: string;
    readonly parts: string;
    readonly state: string;
  };
  /** Distinguishes this container from the device's earlier ones. */
  readonly mark: string;
  /** A process 1 that ends its children; not every engine has the program for it. */
  readonly init: boolean;
}

/** What a client may write to besides its state; PyTorch needs some. */
const TMPFS = "rw,nosuid,nodev,size=512m";
/** Threads of PyTorch and gRPC count as well. */
const PROCESSES = 1024;

/** @returns what the engine is asked for: no network, no rights, nothing to write to but its own state */
export const containerOptions = (client: ClientContainer): ContainerCreateOptions => {
  const { way, folders } = client;
  const bind = (Source: string, Target: string, ReadOnly: boolean) => ({
    Type: "bind" as const,
    Source,
    Target,
    ReadOnly,
  });
  const address = way.kind === "socket" ? "unix:/fedfleet/run/s:1" : `127.0.0.1:${way.port}`;
  return {
    name: `fedfleet-${client.device}-${client.mark}`,
    Image: client.image,
    User: client.user,
    Cmd: ["--server-address", address, ...client.arguments],
    Env: [
      "HOME=/tmp",
      "FLWR_TELEMETRY_ENABLED=0",
      ...(way.kind === "port" ? [`FEDFLEET_JOIN_TOKEN=${way.token}`] : []),
      ...(client.gpu ? ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"] : []),
    ],
    Labels: {
      [LABELS.lab]: client.lab,
      [LABELS.study]: client.study,
      [LABELS.run]: client.run,
      [LABELS.device]: client.device,
    },
    Tty: false,
    OpenStdin: false,
    HostConfig: {
      NetworkMode: way.kind === "socket" ? "none" : "host",
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": TMPFS },
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      ...(client.groups.length === 0 ? {} : { GroupAdd: [...client.groups] }),
      ...(client.init ? { Init: true } : {}),
      ...(client.gpu ? { Runtime: "nvidia" } : {}),
      PidsLimit: PROCESSES,
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "2" } },
      Mounts: [
        bind(folders.run, "/fedfleet/run", true),
        bind(folders.data, "/fedfleet/data", true),
        bind(folders.parts, "/fedfleet/parts", true),
        bind(folders.state, "/fedfleet/state", false),
      ],
    },
  };
};
