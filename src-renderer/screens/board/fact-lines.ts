import type { BoardFacts } from "#contract/boards.ts";
import { bytes, duration, plural } from "#renderer/ui/format.ts";
import { throttlingText } from "./board-words.ts";

/** "Ubuntu 20.04.6 LTS · L4T 35.4.1, JetPack 5.1.2 · arm64, 64-bit · kernel 5.10.120-tegra" */
const systemText = ({ os, kernel, jetson, userlandBits, arch }: BoardFacts): string =>
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
  denied: "installed, but this user has no access to it",
  stopped: "installed, but not running",
};

const SUDO: Readonly<Record<BoardFacts["sudo"], string>> = {
  root: "signed in as root",
  free: "sudo without a password",
  password: "sudo with a password",
  none: "no administrator rights",
};

const dockerText = ({ state, version, nvidiaRuntime }: BoardFacts["docker"]): string =>
  [version, DOCKER[state], nvidiaRuntime && state !== "missing" ? "NVIDIA runtime" : undefined]
    .filter((part) => part !== undefined)
    .join(", ");

const recipeText = (recipe: BoardFacts["recipe"]): string =>
  recipe === undefined
    ? "none can be built"
    : `${recipe.dockerfile} from ${recipe.base}, Python ${recipe.python}, flwr ${recipe.flwr}, ${recipe.gpu ? "GPU" : "CPU"}`;

const throttlingSentence = ({ now, sinceBoot }: NonNullable<BoardFacts["throttling"]>): string => {
  const before = throttlingText(sinceBoot);
  return [throttlingText(now) ?? "none now", ...(before === undefined ? [] : [`since boot: ${before}`])].join(
    "; ",
  );
};

/** What the lab found on a board, as name and value. */
export const factLines = (facts: BoardFacts): readonly (readonly [string, string])[] => {
  const { jetson, disk, clockSkewMs } = facts;
  const skew = Math.abs(clockSkewMs);
  const processor = [plural(facts.cores, "core"), jetson?.soc, jetson?.powerMode];
  return [
    ["Model", facts.model],
    ["System", systemText(facts)],
    ["Processor", processor.filter((part) => part !== undefined).join(", ")],
    [
      "Memory",
      `${bytes(facts.memoryBytes)}${facts.swapBytes === 0 ? ", no swap" : `, ${bytes(facts.swapBytes)} swap`}`,
    ],
    ["Disk", `${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)} free at ${disk.path}`],
    ["User", `${facts.user}, ${SUDO[facts.sudo]}`],
    ["Docker", dockerText(facts.docker)],
    ["Client image", recipeText(facts.recipe)],
    ["Clock", skew < 2000 ? "correct" : `${duration(skew / 1000)} ${clockSkewMs > 0 ? "ahead" : "behind"}`],
    ...(facts.throttling === undefined
      ? []
      : [["Throttling", throttlingSentence(facts.throttling)] as const]),
  ];
};

/** The few facts that fit on one line. */
export const factsInShort = (facts: BoardFacts): string =>
  `${facts.model} · ${bytes(facts.memoryBytes)} · ${facts.os.name}`;
