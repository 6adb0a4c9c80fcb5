import type {
  BoardAction,
  BoardFacts,
  BoardProblem,
  BoardSummary,
  StepView,
  TelemetryPoint,
  Throttling,
} from "#contract/boards.ts";
import { bytes, duration } from "#renderer/ui/format.ts";

/** What is said of boards, everywhere in the page. */

/** "1.4 of 3.9 GB": one unit for both, so that the column can be read down. */
export const memoryText = (point: TelemetryPoint | undefined): string | undefined => {
  const { memoryUsedBytes: used, memoryBytes: all } = point ?? {};
  if (used === undefined) return undefined;
  if (all === undefined) return bytes(used);
  const unit = all >= 1e9 ? { size: 1e9, name: "GB" } : { size: 1e6, name: "MB" };
  const digits = all >= 1e11 || unit.name === "MB" ? 0 : 1;
  return `${(used / unit.size).toFixed(digits)} of ${(all / unit.size).toFixed(digits)} ${unit.name}`;
};

/** "52 °C" */
export const degrees = (celsius: number | undefined): string | undefined =>
  celsius === undefined ? undefined : `${Math.round(celsius)} °C`;

const THROTTLING: Readonly<Record<Throttling, string>> = {
  undervoltage: "too little voltage",
  "frequency-capped": "clock capped",
  throttled: "throttled",
  "soft-temperature-limit": "slowed by heat",
};
export const throttlingText = (flags: readonly Throttling[] | undefined): string | undefined =>
  flags === undefined || flags.length === 0 ? undefined : flags.map((flag) => THROTTLING[flag]).join(", ");

/** What is wrong with a board, if something is: with its connection first, then with its client. */
export const problemOf = (board: BoardSummary): BoardProblem | undefined =>
  board.state === "online" ? board.client?.problem : (board.problem ?? board.client?.problem);

/** What a row of the fleet offers to do about its board. */
export const firstActionOf = (board: BoardSummary): BoardAction | undefined => {
  const problem = problemOf(board);
  if (problem !== undefined) {
    const [first] = problem.actions ?? [];
    if (first !== undefined) return first;
    // another key is looked at on the board's own page, not tried again
    const isKey = problem.code === "host-key-changed" || problem.code === "host-key-revoked";
    return board.state === "online" || isKey ? undefined : { do: "retry", label: "Try again" };
  }
  if (board.state === "offline") return { do: "retry", label: "Connect" };
  if (board.state === "locked") return { do: "sign-in", label: "Sign in" };
  return undefined;
};

/** "NVIDIA Jetson Xavier NX Developer Kit" → "Jetson Xavier NX"; "Raspberry Pi 4 Model B Rev 1.4" → "Raspberry Pi 4 B" */
export const shortModel = (model: string): string =>
  model
    .replace(/^NVIDIA\s+/i, "")
    .replace(/\s+(Developer Kit|DevKit|Rev \d.*)$/i, "")
    .replace(/^(Raspberry Pi \d) Model /, "$1 ")
    .replace(/ Plus$/, "+")
    .trim() || model;

/** An image's tag says what tells it from others; its name is the same on all boards. */
export const shortImage = (image: string): string => image.slice(image.lastIndexOf(":") + 1);

const STEM_LENGTH = 36;

/** "pi@kitchen.local" → "kitchen"; an address becomes "board-10-0-0-7". Another letter where the name is taken. */
export const suggestedBoardName = (host: string, taken: readonly string[]): string => {
  const bare = host.trim().replace(/^\[|\]$/g, "");
  const isAddress = /^[\d.]+$/.test(bare) || bare.includes(":");
  const stem =
    (isAddress ? `board-${bare}` : (bare.split(".")[0] ?? ""))
      .replace(/[^a-z0-9]+/gi, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, STEM_LENGTH)
      .replace(/-+$/, "")
      .toLowerCase() || "board";
  const used = new Set(taken.map((name) => name.toLowerCase()));
  // a letter: a number at the end would look like one of a group's devices
  const free = ["", ..."bcdefghijklmnopqrstuvwxyz".split("").map((letter) => `-${letter}`)].find(
    (ending) => !used.has(`${stem}${ending}`),
  );
  return `${stem}${free ?? `-${used.size}x`}`;
};

/** Where a board's public key lies on it, by the key's type. */
export const keyFileOf = (type: string): string => {
  const kind = type.startsWith("ecdsa") ? "ecdsa" : type.includes("rsa") ? "rsa" : "ed25519";
  return `/etc/ssh/ssh_host_${kind}_key.pub`;
};

export const checkCommand = (type: string): string => `ssh-keygen -lf ${keyFileOf(type)}`;

/** "35.4.1" → "L4T 35.4.1, JetPack 5.1.2" */
const systemOf = ({ os, kernel, jetson, userlandBits, arch }: BoardFacts): string =>
  [
    os.name,
    ...(jetson === undefined
      ? []
      : [`L4T ${jetson.l4t}${jetson.jetpack === undefined ? "" : `, JetPack ${jetson.jetpack}`}`]),
    `${arch}, ${userlandBits}-bit`,
    `kernel ${kernel}`,
  ].join(" · ");

const DOCKER: Readonly<Record<BoardFacts["docker"]["state"], string>> = {
  ready: "ready",
  missing: "not installed",
  denied: "installed, but this user may not use it",
  stopped: "installed, but not running",
};

const SUDO: Readonly<Record<BoardFacts["sudo"], string>> = {
  root: "signed in as root",
  free: "sudo without a password",
  password: "sudo with the password",
  none: "no administrator rights",
};

/** What a probe has found, as name and value. */
export const factLines = (facts: BoardFacts): readonly (readonly [string, string])[] => {
  const { docker, jetson, recipe, disk } = facts;
  const skew = Math.abs(facts.clockSkewMs);
  return [
    ["Model", facts.model],
    ["System", systemOf(facts)],
    [
      "Processor",
      `${facts.cores} ${facts.cores === 1 ? "core" : "cores"}${jetson?.soc === undefined ? "" : `, ${jetson.soc}`}${jetson?.powerMode === undefined ? "" : `, ${jetson.powerMode}`}`,
    ],
    [
      "Memory",
      `${bytes(facts.memoryBytes)}${facts.swapBytes === 0 ? ", no swap" : `, ${bytes(facts.swapBytes)} swap`}`,
    ],
    ["Disk", `${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)} free at ${disk.path}`],
    ["User", `${facts.user}, ${SUDO[facts.sudo]}`],
    [
      "Docker",
      `${docker.version === undefined ? "" : `${docker.version}, `}${DOCKER[docker.state]}${docker.nvidiaRuntime && docker.state !== "missing" ? ", NVIDIA runtime" : ""}`,
    ],
    [
      "Client image",
      recipe === undefined
        ? "none can be made"
        : `${recipe.dockerfile} from ${recipe.base}, Python ${recipe.python}, flwr ${recipe.flwr}, ${recipe.gpu ? "GPU" : "CPU"}`,
    ],
    [
      "Clock",
      skew < 2000 ? "right" : `${duration(skew / 1000)} ${facts.clockSkewMs > 0 ? "ahead" : "behind"}`,
    ],
    ...(facts.throttling === undefined
      ? []
      : ([
          [
            "Throttling",
            [
              throttlingText(facts.throttling.now) ?? "none now",
              ...(facts.throttling.sinceBoot.length === 0
                ? []
                : [`since it was started: ${throttlingText(facts.throttling.sinceBoot)}`]),
            ].join("; "),
          ],
        ] as const)),
  ];
};

/** The few facts that fit on a line. */
export const factsInShort = (facts: BoardFacts): string =>
  `${facts.model} · ${bytes(facts.memoryBytes)} · ${facts.os.name}`;

export const STEP_WORDS: Readonly<
  Record<StepView["state"], { readonly mark: string; readonly word: string }>
> = {
  done: { mark: "✓", word: "done" },
  open: { mark: "○", word: "to do" },
  blocked: { mark: "○", word: "after the one before" },
  running: { mark: "◔", word: "running" },
  failed: { mark: "✕", word: "failed" },
  "not-needed": { mark: "–", word: "not needed" },
};

/** Steps that still have to be done. */
export const openSteps = (steps: readonly StepView[]): readonly StepView[] =>
  steps.filter(({ state }) => state === "open" || state === "blocked" || state === "failed");
