import { z } from "zod";

/** A board: a device that the lab reaches over SSH. Times are ISO 8601 in UTC; sizes are bytes. */

export const boardName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,40}$/i, "up to 41 letters, digits or dashes; cannot start with a dash");

/** How the board is reached; what is left out comes from ~/.ssh/config, then from OpenSSH's defaults. */
export const boardTarget = z.strictObject({
  /** A name, an address, or an alias of the user's own ~/.ssh/config. */
  host: z.string().trim().min(1).max(255),
  port: z.number().int().min(1).max(65_535).optional(),
  user: z.string().trim().min(1).max(64).optional(),
});
export type BoardTarget = z.output<typeof boardTarget>;

export const signIn = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("password"), password: z.string().min(1).max(1024) }),
  /** A private key file of the user; it is read again for each connection and never copied. */
  z.strictObject({
    kind: z.literal("key"),
    path: z.string().min(1).max(4096),
    passphrase: z.string().max(1024).optional(),
  }),
  /** The agent at SSH_AUTH_SOCK. */
  z.strictObject({ kind: z.literal("agent") }),
  /** The lab's own ed25519 key, once it is installed on the board. */
  z.strictObject({ kind: z.literal("lab-key") }),
]);
export type SignIn = z.output<typeof signIn>;

/** Why something with a board did not work. */
export type BoardProblemCode =
  // on the way there
  | "name-unknown"
  | "refused"
  | "unreachable"
  | "no-answer"
  | "not-ssh"
  | "connection-lost"
  | "jump-failed"
  // who is there
  | "host-key-new"
  | "host-key-changed"
  | "host-key-revoked"
  // signing in
  | "sign-in-refused"
  | "secret-missing"
  | "key-unreadable"
  | "passphrase-wrong"
  | "no-agent"
  | "forwarding-refused"
  // administrator rights
  | "sudo-password"
  | "sudo-refused"
  | "sudo-locked"
  // the engine
  | "docker-missing"
  | "docker-denied"
  | "docker-stopped"
  | "docker-failed"
  // the image
  | "wrong-architecture"
  | "image-missing"
  | "build-failed"
  | "disk-full"
  | "no-internet"
  | "unsupported-board"
  | "gpu-missing"
  | "cpu-unsuited"
  // data
  | "data-missing"
  | "data-damaged"
  // the client
  | "out-of-memory"
  | "cuda-out-of-memory"
  | "client-exited"
  | "client-killed"
  | "server-lost"
  | "bad-configuration"
  // by a person
  | "cancelled"
  | "busy";

/** What one click can do about a problem. `label` is the button. */
export type BoardAction =
  | { readonly do: "retry"; readonly label: string }
  | { readonly do: "edit-target"; readonly label: string }
  | { readonly do: "sign-in"; readonly label: string }
  | { readonly do: "ask-sudo"; readonly label: string }
  /** Runs this step of the plan. */
  | { readonly do: "step"; readonly step: StepId; readonly label: string }
  | { readonly do: "load-image"; readonly label: string }
  | { readonly do: "restart-client"; readonly label: string }
  /** A new study like the present one, with this batch size. */
  | { readonly do: "lower-batch-size"; readonly batchSize: number; readonly label: string }
  /** The study continues with those that are there. */
  | { readonly do: "start-without"; readonly label: string }
  /** Commands to run by hand, shown and copied. */
  | { readonly do: "show-commands"; readonly commands: readonly string[]; readonly label: string };

/** Said in the form problem, cause, solution; `raw` is what the machine itself said, without secrets. */
export interface BoardProblem {
  readonly code: BoardProblemCode;
  /** "Docker is not installed": a few words without a full stop. */
  readonly title: string;
  /** One or two sentences. */
  readonly cause: string;
  /** What a person can do, imperative. */
  readonly next: string;
  readonly raw?: string;
  readonly actions?: readonly BoardAction[];
}

export interface HostKey {
  /** "ssh-ed25519", "ecdsa-sha2-nistp256", …. */
  readonly type: string;
  /** "SHA256:…", as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/** Who answers at an address, before anything is sent to it. */
export interface Reached {
  /** "new": no key of the host is trusted yet · "changed": not the key that is known. */
  readonly trust: "known" | "new" | "changed";
  /** Where the key was read: the board, or the host before it that has to be trusted first. */
  readonly host: string;
  readonly port: number;
  readonly isJump: boolean;
  readonly key: HostKey;
  readonly known?: readonly HostKey[];
  /** The user to sign in as. */
  readonly user: string;
  /** Ways to sign in that this computer has for it. */
  readonly ways: { readonly agent: boolean; readonly keys: readonly string[]; readonly labKey: boolean };
}

/** An entry of ~/.ssh/config that names one host. */
export interface SshEntry {
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly jump?: string;
}

export type BoardState =
  /** Not connected; the lab tries again by itself where `retryAt` is set. */
  | "offline"
  | "connecting"
  | "online"
  /** Connected, but it has not answered for some seconds. */
  | "silent"
  /** Only a person can help: a changed key, a refused sign-in, a missing secret. */
  | "locked";

export type Architecture = "arm64" | "x86-64" | "arm" | "x86" | "other";

export interface BoardFacts {
  readonly at: string;
  /** "NVIDIA Jetson Xavier NX Developer Kit", "Raspberry Pi 4 Model B Rev 1.4". */
  readonly model: string;
  readonly family: "jetson" | "raspberry-pi" | "other";
  readonly arch: Architecture;
  /** Of the installed programs: a 64-bit kernel may carry a 32-bit system. */
  readonly userlandBits: 32 | 64;
  readonly os: { readonly id: string; readonly version: string; readonly name: string };
  readonly kernel: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  /** Where the engine keeps its images, or the home folder where there is none. */
  readonly disk: { readonly path: string; readonly totalBytes: number; readonly freeBytes: number };
  readonly user: string;
  readonly uid: number;
  readonly home: string;
  readonly sudo: "root" | "free" | "password" | "none";
  readonly jetson?: {
    /** "35.4.1" */
    readonly l4t: string;
    /** "5.1.2", where the release is known. */
    readonly jetpack?: string;
    readonly soc?: string;
    /** "MODE_15W_6CORE" */
    readonly powerMode?: string;
  };
  readonly docker: {
    readonly state: "ready" | "missing" | "denied" | "stopped";
    readonly version?: string;
    /** The engine's socket on the board. */
    readonly socket: string;
    readonly root?: string;
    readonly arch?: Architecture;
    readonly nvidiaRuntime: boolean;
    readonly memoryLimits: boolean;
  };
  /** The board's clock minus this computer's. */
  readonly clockSkewMs: number;
  readonly throttling?: {
    readonly now: readonly Throttling[];
    readonly sinceBoot: readonly Throttling[];
  };
  /** How a client image is made for it; undefined where none can be, which `unsupported` explains. */
  readonly recipe?: ImageRecipe;
  readonly unsupported?: string;
  readonly warnings: readonly { readonly code: string; readonly text: string; readonly next: string }[];
}

export type Throttling = "undervoltage" | "frequency-capped" | "throttled" | "soft-temperature-limit";

export interface ImageRecipe {
  readonly dockerfile: "Dockerfile.jetson" | "Dockerfile.pi";
  readonly base: string;
  /** "3.8" */
  readonly python: string;
  readonly flwr: string;
  readonly gpu: boolean;
  /** Free space that the build needs. */
  readonly diskBytes: number;
}

/** What a board's sensors say, about once a second while somebody watches; what it does not measure is missing. */
export interface TelemetryPoint {
  readonly at: string;
  /** Of its hottest part, in °C. */
  readonly temperature?: number;
  readonly memoryUsedBytes?: number;
  readonly memoryBytes?: number;
  /** 0 to 1. */
  readonly cpu?: number;
  readonly gpu?: number;
  /** Watts. */
  readonly power?: number;
  readonly diskFreeBytes?: number;
  readonly throttling?: readonly Throttling[];
}

export const STEP_IDS = [
  "docker-install",
  "docker-start",
  "docker-group",
  "nvidia-runtime",
  "image",
  "self-test",
  "data",
] as const;
export type StepId = (typeof STEP_IDS)[number];

/** One step of what makes a board ready: idempotent, shown before it runs. */
export interface StepView {
  readonly id: StepId;
  /** "Build the client image" */
  readonly title: string;
  /** What it does, or what was found. */
  readonly text: string;
  /** "open": still to do · "blocked": an earlier one has to be done first. */
  readonly state: "done" | "open" | "blocked" | "running" | "failed" | "not-needed";
  /** The commands that will run on the board, as they will run. */
  readonly commands: readonly string[];
  readonly needsSudo: boolean;
  /** What a person must agree to before it runs. */
  readonly consent?: string;
  readonly canUndo: boolean;
  /** The last lines of its output. */
  readonly output: readonly string[];
  readonly fraction?: number;
  readonly startedAt?: string;
  readonly seconds?: number;
  readonly problem?: BoardProblem;
}

export interface ProvisionPlan {
  readonly steps: readonly StepView[];
  /** Every step is done: the board can take part in a study. */
  readonly ready: boolean;
  readonly running: boolean;
}

/** The client on a board: its container, or why there is none. */
export interface ClientView {
  readonly state: "launching" | "running" | "stopping" | "exited" | "waiting";
  readonly study: string;
  readonly run: string;
  readonly container?: string;
  readonly image?: string;
  readonly startedAt?: string;
  /** How often it was started again in this study. */
  readonly restarts: number;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  readonly problem?: BoardProblem;
  /** The last 50 lines of one that ended. */
  readonly lastLines?: readonly string[];
  /** "waiting": when it is tried again. */
  readonly retryAt?: string;
}

/** What the fleet's table says of a board. */
export interface BoardSummary {
  /** "pi@10.0.0.7:22" */
  readonly address: string;
  readonly state: BoardState;
  readonly since: string;
  /** Why it is not online. */
  readonly problem?: BoardProblem;
  readonly retryAt?: string;
  readonly setup: "ready" | "needed" | "running" | "unknown" | "unsupported";
  readonly model?: string;
  readonly arch?: Architecture;
  readonly image?: string;
  readonly client?: ClientView;
  readonly telemetry?: TelemetryPoint;
}

export interface BoardView extends BoardSummary {
  readonly name: string;
  readonly target: BoardTarget;
  readonly signIn: SignIn["kind"];
  readonly hostKey: HostKey;
  readonly addedAt: string;
  readonly facts?: BoardFacts;
  readonly plan?: ProvisionPlan;
  /** A folder on the board that holds the data; undefined where the lab sends each study's part. */
  readonly dataFolder?: string;
  /** The last hour, oldest first, thinned to a few hundred points. */
  readonly history: readonly TelemetryPoint[];
}

export interface BoardLogLine {
  readonly id: number;
  readonly at: string;
  readonly study?: string;
  readonly stream: "stdout" | "stderr" | "lab";
  readonly text: string;
}

/** A line of a pasted list or a CSV file of boards. */
export interface ListedBoard {
  /** From 1. */
  readonly line: number;
  readonly name?: string;
  readonly target?: BoardTarget;
  readonly problem?: string;
}

/** Where the lab keeps passwords and passphrases. */
export interface SecretsView {
  readonly kept: "safe-storage" | "file" | "memory";
  /** "file" can be chosen where the computer has no safe storage. */
  readonly canUseFile: boolean;
  readonly path?: string;
  /** Why there is no safe storage. */
  readonly note?: string;
}
