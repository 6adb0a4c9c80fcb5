/** What the client says on its standard output: one JSON object a line. */

export interface Progress {
  readonly run: string;
  readonly round: number;
  /** 0 to 1. */
  readonly fraction: number;
}

const objectOf = (line: string): Record<string, unknown> | undefined => {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
};

/** @returns undefined for any other line */
export const progressOf = (line: string): Progress | undefined => {
  const said = objectOf(line);
  if (said?.event !== "progress") return undefined;
  const { run, round, fraction } = said;
  if (typeof run !== "string" || !Number.isSafeInteger(round) || typeof fraction !== "number") {
    return undefined;
  }
  return { run, round: round as number, fraction: Math.min(1, Math.max(0, fraction)) };
};

/** Why the client ended, in its own words. */
export const lastErrorOf = (lines: readonly string[]): { message: string; next?: string } | undefined => {
  for (const line of lines.toReversed()) {
    const said = objectOf(line);
    if (said?.event !== "error" || typeof said.message !== "string") continue;
    return { message: said.message, ...(typeof said.next === "string" ? { next: said.next } : {}) };
  }
  return undefined;
};

const ESCAPE = String.fromCharCode(27);
/** Colours and other control sequences of a terminal. */
const TERMINAL = new RegExp(`${ESCAPE}\\[[0-?]*[ -/]*[@-~]`, "g");
const LEVEL = /^(DEBUG|INFO|WARNING|ERROR|CRITICAL)\s*:?\s*$/;

/** @returns the line without control sequences; undefined where it says nothing, as the lines with a level alone that Flower prints */
export const readable = (line: string): string | undefined => {
  const text = line.replaceAll(TERMINAL, "").trimEnd();
  return text.trim() === "" || LEVEL.test(text) ? undefined : text;
};
