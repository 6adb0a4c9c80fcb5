import type { BoardFacts, Throttling } from "#contract/boards.ts";
import type { DockerLook } from "./docker-facts.ts";
import type { RecipeChoice } from "./image-recipe.ts";

type Warning = BoardFacts["warnings"][number];

/** Beyond this, certificates of a board without a clock of its own begin to fail and its log lines mislead. */
const CLOCK_SKEW_MS = 5000;
const LITTLE_MEMORY = 1_000_000_000;
/** Earlier engines deny clone3, which the C library of Debian 12 needs to start a thread. */
const FIRST_WITH_CLONE3 = [20, 10, 10] as const;

export interface Circumstances {
  readonly isComplete: boolean;
  readonly family: BoardFacts["family"];
  readonly clockSkewMs: number;
  readonly throttling?: NonNullable<BoardFacts["throttling"]>;
  readonly memoryAvailable?: number;
  readonly disk: BoardFacts["disk"];
  readonly docker: DockerLook;
  readonly choice: RecipeChoice;
  readonly powerMode?: string;
  /** Where a Raspberry Pi's kernel parameters stand. */
  readonly cmdline: string;
  /** Whether a Jetson's kernel has the firewall's raw table; undefined where it was not probed. */
  readonly hasRawTable?: boolean;
}

/** What a person should know before this board trains, the most serious first. */
export const boardWarnings = (board: Circumstances): Warning[] =>
  [
    incomplete(board),
    board.choice.noGpu && { code: "gpu-unused", ...board.choice.noGpu },
    nvidiaRuntime(board),
    rawTable(board),
    ...engine(board),
    lowDisk(board),
    lowMemory(board),
    memoryLimits(board),
    ...power(board),
    clock(board),
    powerMode(board),
  ].filter((warning) => warning !== undefined);

const incomplete = ({ isComplete }: Circumstances): Warning | undefined =>
  isComplete
    ? undefined
    : {
        code: "incomplete",
        text: "The board's answer was cut off: some facts may be missing.",
        next: "Look at the board again.",
      };

const nvidiaRuntime = ({ docker, choice }: Circumstances): Warning | undefined =>
  choice.recipe?.gpu && docker.facts.state === "ready" && !docker.facts.nvidiaRuntime
    ? {
        code: "nvidia-runtime-missing",
        text: "Docker does not know NVIDIA's runtime: containers would not see the GPU, and would silently train on the CPU.",
        next: "Let the lab set it up, or run `sudo nvidia-ctk runtime configure --runtime=docker` and restart Docker.",
      }
    : undefined;

const rawTable = ({ docker, hasRawTable }: Circumstances): Warning | undefined => {
  const { state, version } = docker.facts;
  const affected = state === "missing" || (version !== undefined && Number.parseInt(version, 10) >= 28);
  return hasRawTable === false && affected
    ? {
        code: "docker-28-kernel",
        text: "Docker 28 and later need iptable_raw, which this board's kernel lacks: building an image fails with “can't initialize iptables table `raw'”.",
        next: "Update to JetPack 6.2.1 or later, or install Docker 27.5.1.",
      }
    : undefined;
};

const engine = ({ docker, choice }: Circumstances): (Warning | undefined)[] => [
  docker.isPodman
    ? {
        code: "podman",
        text: "`docker` is Podman here. The lab needs Docker's own engine.",
        next: "Remove podman-docker and install Docker.",
      }
    : undefined,
  docker.isSnap
    ? {
        code: "docker-snap",
        text: "Docker was installed from a snap, which may not read hidden folders such as ~/.fedfleet.",
        next: "Remove it (`sudo snap remove docker`) and let the lab install Docker's own package.",
      }
    : undefined,
  docker.ignoredHost !== undefined
    ? {
        code: "docker-host-ignored",
        text: `DOCKER_HOST is ${docker.ignoredHost}; the lab uses the engine at ${docker.facts.socket} instead.`,
        next: "Set DOCKER_HOST to a unix:// address if another engine is meant.",
      }
    : undefined,
  docker.facts.version !== undefined && choice.recipe?.gpu === false && isOlder(docker.facts.version)
    ? {
        code: "docker-old",
        text: `Docker ${docker.facts.version} may keep programs of Debian 12 from starting threads.`,
        next: "Update Docker to 20.10.10 or later if the client's self-test fails.",
      }
    : undefined,
];

const isOlder = (version: string): boolean => {
  const parts = version.split(/[^0-9]+/, 3).map(Number);
  for (const [i, least] of FIRST_WITH_CLONE3.entries()) {
    const part = parts[i] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
};

const lowDisk = ({ disk, choice, docker }: Circumstances): Warning | undefined =>
  choice.recipe !== undefined && disk.totalBytes > 0 && disk.freeBytes < choice.recipe.diskBytes
    ? {
        code: "disk-low",
        text: `Building the client image needs ${gigabytes(choice.recipe.diskBytes)}; ${gigabytes(disk.freeBytes)} are free at ${disk.path}.`,
        next:
          docker.facts.state === "ready"
            ? "Remove what is not needed (`docker system df` shows the largest), or move Docker's data-root to a larger disk."
            : "Free space there, or install Docker on a larger disk.",
      }
    : undefined;

const lowMemory = ({ memoryAvailable }: Circumstances): Warning | undefined =>
  memoryAvailable !== undefined && memoryAvailable < LITTLE_MEMORY
    ? {
        code: "memory-low",
        text: `Only ${gigabytes(memoryAvailable)} of memory is free.`,
        next: "Train Net with a small batch size on this board, and close its desktop (`sudo systemctl set-default multi-user.target`).",
      }
    : undefined;

const memoryLimits = ({ docker, family, cmdline }: Circumstances): Warning | undefined => {
  if (docker.facts.memoryLimits) return undefined;
  const text =
    "Docker cannot limit memory on this board: a client that needs too much would take the whole board down.";
  return family === "raspberry-pi"
    ? {
        code: "memory-limits-off",
        text,
        next: `Append \` cgroup_enable=memory cgroup_memory=1\` to the single line of ${cmdline || "/boot/firmware/cmdline.txt"} and reboot.`,
      }
    : {
        code: "memory-limits-off",
        text,
        next: "Turn the memory control group on (kernel parameter cgroup_enable=memory; for rootless Docker, delegate it to the user).",
      };
};

const power = ({ throttling }: Circumstances): (Warning | undefined)[] => {
  if (throttling === undefined) return [];
  const slow = (list: readonly Throttling[]): boolean => list.some((what) => what !== "undervoltage");
  const low = (list: readonly Throttling[]): boolean => list.includes("undervoltage");
  const supply =
    "Use the board's own power supply and a short cable: its timings are not reliable until then.";
  const cool = "Cool the board: its timings are not comparable while it is throttled.";
  return [
    low(throttling.now)
      ? { code: "undervoltage", text: "The voltage is too low right now.", next: supply }
      : low(throttling.sinceBoot)
        ? {
            code: "undervoltage-since-boot",
            text: "The voltage has been too low at some time since boot.",
            next: supply,
          }
        : undefined,
    slow(throttling.now)
      ? { code: "throttled", text: `It is throttled right now: ${throttling.now.join(", ")}.`, next: cool }
      : slow(throttling.sinceBoot)
        ? {
            code: "throttled-since-boot",
            text: `It has been throttled since boot: ${throttling.sinceBoot.join(", ")}.`,
            next: cool,
          }
        : undefined,
  ];
};

const clock = ({ clockSkewMs }: Circumstances): Warning | undefined =>
  Math.abs(clockSkewMs) > CLOCK_SKEW_MS
    ? {
        code: "clock-skew",
        text: `Its clock is ${span(Math.abs(clockSkewMs))} ${clockSkewMs < 0 ? "behind" : "ahead"}: downloads may fail because of certificates.`,
        next: "Turn on network time (`sudo timedatectl set-ntp true`), or set it: `sudo date -s @$(date +%s)` with this computer's time.",
      }
    : undefined;

const powerMode = ({ powerMode: mode }: Circumstances): Warning | undefined =>
  mode !== undefined && !/^MAXN/i.test(mode)
    ? {
        code: "power-mode",
        text: `Power mode ${mode} caps its clocks; training times depend on it.`,
        next: "Set the same mode on all boards that are compared (`sudo nvpmodel -m 0` is the fastest on most).",
      }
    : undefined;

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

const span = (ms: number): string => {
  const seconds = ms / 1000;
  const [amount, unit] =
    seconds < 120
      ? [seconds, "seconds"]
      : seconds < 7200
        ? [seconds / 60, "minutes"]
        : seconds < 172_800
          ? [seconds / 3600, "hours"]
          : [seconds / 86_400, "days"];
  return `${Math.round(amount)} ${unit}`;
};
