import type {
  BoardFacts,
  BoardProblem,
  BoardState,
  BoardSummary,
  ClientView,
  HostKey,
  TelemetryPoint,
} from "#contract/boards.ts";

/** What boards of all kinds are like, for pages to be looked at. */

export interface ExampleModel {
  readonly model: string;
  readonly family: BoardFacts["family"];
  readonly memoryBytes: number;
  readonly os: string;
  readonly image: string;
  readonly watts?: number;
  readonly gpu?: true;
}

export const MODELS: readonly ExampleModel[] = [
  {
    model: "NVIDIA Jetson Xavier NX Developer Kit",
    family: "jetson",
    memoryBytes: 7.8e9,
    os: "Ubuntu 20.04.6 LTS",
    image: "fedfleet-client:l4t-r35-4c1f",
    watts: 9,
    gpu: true,
  },
  {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    family: "raspberry-pi",
    memoryBytes: 3.9e9,
    os: "Debian GNU/Linux 12 (bookworm)",
    image: "fedfleet-client:arm64-9b20",
  },
  {
    model: "Raspberry Pi 5 Model B Rev 1.0",
    family: "raspberry-pi",
    memoryBytes: 8.3e9,
    os: "Debian GNU/Linux 12 (bookworm)",
    image: "fedfleet-client:arm64-9b20",
    watts: 4,
  },
  {
    model: "NVIDIA Jetson Orin Nano Developer Kit",
    family: "jetson",
    memoryBytes: 8e9,
    os: "Ubuntu 22.04.4 LTS",
    image: "fedfleet-client:l4t-r36-4c1f",
    watts: 11,
    gpu: true,
  },
  {
    model: "Raspberry Pi 3 Model B Plus Rev 1.3",
    family: "raspberry-pi",
    memoryBytes: 9.5e8,
    os: "Debian GNU/Linux 12 (bookworm)",
    image: "fedfleet-client:arm64-9b20",
  },
];

export const KEY: HostKey = {
  type: "ssh-ed25519",
  fingerprint: "SHA256:mVwn3dPqk0y0kIhX6aPGm1f4vE7sSu1rY9Jp2hQ0x9Q",
};
export const OTHER_KEY: HostKey = {
  type: "ssh-ed25519",
  fingerprint: "SHA256:Zt8b1cW5uN4eR7yQ2aLk9oJp3sVx6hGd0fMi8nBv1Tc",
};

export const factsOf = (
  example: ExampleModel,
  at: string,
  docker: BoardFacts["docker"]["state"] = "ready",
): BoardFacts => ({
  at,
  model: example.model,
  family: example.family,
  arch: "arm64",
  userlandBits: 64,
  os: { id: "debian", version: "12", name: example.os },
  kernel: example.family === "jetson" ? "5.10.120-tegra" : "6.6.31+rpt-rpi-v8",
  cores: example.family === "jetson" ? 6 : 4,
  memoryBytes: example.memoryBytes,
  swapBytes: example.memoryBytes < 2e9 ? 1e8 : 0,
  disk: { path: "/var/lib/docker", totalBytes: 62e9, freeBytes: 31e9 },
  user: "lab",
  uid: 1000,
  home: "/home/lab",
  sudo: "password",
  ...(example.family === "jetson"
    ? { jetson: { l4t: "35.4.1", jetpack: "5.1.2", soc: "tegra194", powerMode: "MODE_15W_6CORE" } }
    : {}),
  docker: {
    state: docker,
    ...(docker === "missing" ? {} : { version: "26.1.3" }),
    socket: "/var/run/docker.sock",
    nvidiaRuntime: example.family === "jetson",
    memoryLimits: true,
  },
  clockSkewMs: 40,
  ...(example.family === "raspberry-pi"
    ? { throttling: { now: [], sinceBoot: ["undervoltage" as const] } }
    : {}),
  recipe: {
    dockerfile: example.family === "jetson" ? "Dockerfile.jetson" : "Dockerfile.pi",
    base: example.family === "jetson" ? "l4t-pytorch:r35.2.1-pth2.0-py3" : "python:3.11-slim",
    python: example.family === "jetson" ? "3.8" : "3.11",
    flwr: "1.11.1",
    gpu: example.family === "jetson",
    diskBytes: 2e9,
  },
  warnings:
    example.memoryBytes < 2e9
      ? [
          {
            code: "little-memory",
            text: "It has less than 1 GB of memory.",
            next: "Train Net with a small batch size, or training may run out of memory.",
          },
        ]
      : [],
});

export const problem = (
  code: BoardProblem["code"],
  title: string,
  cause: string,
  next: string,
  more: Partial<BoardProblem> = {},
): BoardProblem => ({ code, title, cause, next, ...more });

export const PROBLEMS = {
  unreachable: problem(
    "unreachable",
    "It cannot be reached",
    "No answer came from 10.0.3.14 within 10 s. It is off, in another network, or behind a firewall.",
    "Check that it is on and in the same network as this computer.",
    { raw: "connect EHOSTUNREACH 10.0.3.14:22", actions: [{ do: "retry", label: "Try again" }] },
  ),
  secret: problem(
    "secret-missing",
    "The password is no longer known",
    "The lab kept it in memory only, and has been restarted since.",
    "Sign in again. Let the lab install its own key, and it will not ask again.",
    { actions: [{ do: "sign-in", label: "Sign in" }] },
  ),
  changed: problem(
    "host-key-changed",
    "The board shows a different key",
    "Either it was reinstalled, or somebody intercepts the connection. Nothing was sent to it.",
    "Compare the fingerprint on the board itself. Replace the key only if it was reinstalled.",
  ),
  memory: problem(
    "out-of-memory",
    "The client ran out of memory",
    "The board killed it (exit code 137): 0.9 GB are too little for a batch size of 50.",
    "Lower the batch size, or continue without this board.",
    {
      raw: "Memory cgroup out of memory: Killed process 4121 (python3) total-vm:1893772kB",
      actions: [
        { do: "lower-batch-size", batchSize: 25, label: "Lower the batch size to 25" },
        { do: "start-without", label: "Continue without it" },
        { do: "restart-client", label: "Restart" },
      ],
    },
  ),
  disk: problem(
    "disk-full",
    "2.0 GB needed, 0.4 GB free",
    "The image could not be built: the disk at /var/lib/docker is full.",
    "Remove what is no longer needed there, then try again.",
    {
      raw: "write /var/lib/docker/tmp/GetImageBlob: no space left on device",
      actions: [
        { do: "retry", label: "Try again" },
        {
          do: "show-commands",
          commands: ["docker system df", "docker image prune"],
          label: "Show what takes space",
        },
      ],
    },
  ),
} as const;

/** What each board of a fleet is like, one after the other. */
export interface ExampleCase {
  readonly state: BoardState;
  readonly setup: BoardSummary["setup"];
  readonly problem?: BoardProblem;
  readonly client?: Omit<ClientView, "study" | "run">;
}

const READY: ExampleCase = { state: "online", setup: "ready" };
export const CASES: readonly ExampleCase[] = [
  READY,
  READY,
  { state: "online", setup: "needed" },
  READY,
  { state: "offline", setup: "ready", problem: PROBLEMS.unreachable },
  {
    state: "online",
    setup: "ready",
    client: {
      state: "exited",
      restarts: 2,
      exitCode: 137,
      oomKilled: true,
      container: "9f2c1d7b5a30e1",
      image: "fedfleet-client:arm64-9b20",
      problem: PROBLEMS.memory,
      lastLines: [
        ...Array.from(
          { length: 48 },
          (_, i) =>
            `{"event":"progress","run":"r1","round":3,"fraction":${((i + 1) / 60).toFixed(2)},"loss":1.71}`,
        ),
        "Traceback (most recent call last):",
        "MemoryError",
      ],
    },
  },
  READY,
  { state: "silent", setup: "ready" },
  { state: "locked", setup: "ready", problem: PROBLEMS.secret },
  READY,
  { state: "locked", setup: "ready", problem: PROBLEMS.changed },
  { state: "connecting", setup: "ready" },
];

export const pointOf = (example: ExampleModel, at: number, seed: number): TelemetryPoint => {
  const wave = Math.sin(at / 200_000 + seed) * 0.5 + Math.sin(at / 31_000 + seed * 3) * 0.5;
  const load = Math.min(1, Math.max(0.02, 0.45 + wave * 0.4));
  return {
    at: new Date(at).toISOString(),
    temperature: 52 + wave * 14 + (seed % 7) * 3,
    memoryUsedBytes: example.memoryBytes * (0.35 + load * 0.3),
    memoryBytes: example.memoryBytes,
    cpu: load,
    ...(example.gpu === true ? { gpu: Math.min(1, load * 1.1) } : {}),
    ...(example.watts === undefined ? {} : { power: example.watts * (0.5 + load * 0.6) }),
    ...(seed % 11 === 5 ? { throttling: ["undervoltage" as const] } : {}),
  };
};
