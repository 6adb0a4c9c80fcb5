import type { BoardProblem, BoardTarget, HostKey, ListedBoard, Reached } from "#contract/boards.ts";
import { plural } from "#renderer/ui/format.ts";
import { suggestedBoardName } from "./board-name.ts";

/** Several boards are added at once: each line of the list advances on its own and keeps its own problem. */

export type ManyState =
  | "listed"
  | "reaching"
  /** The person has to compare its key, or that of a jump host. */
  | "new-key"
  | "changed-key"
  | "reached"
  | "adding"
  | "added"
  | "failed";

export interface ManyRow {
  readonly line: number;
  readonly name: string;
  readonly target: BoardTarget;
  readonly state: ManyState;
  readonly reached?: Reached;
  readonly problem?: BoardProblem;
}

/** Lines that can be added, each with a name that no other device has. */
export const rowsOfList = (listed: readonly ListedBoard[], taken: readonly string[]): readonly ManyRow[] => {
  const used = [...taken];
  return listed.flatMap(({ line, name, target, problem }) => {
    if (target === undefined || problem !== undefined) return [];
    const own = name ?? suggestedBoardName(target.host, used);
    used.push(own);
    return [{ line, name: own, target, state: "listed" as const }];
  });
};

/** Why lines cannot be added: what the lab found wrong, and names that are taken. By line number. */
export const problemsOfList = (
  listed: readonly ListedBoard[],
  taken: readonly string[],
): ReadonlyMap<number, string> => {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  const problems = new Map<number, string>();
  for (const { line, name, problem } of listed) {
    if (problem !== undefined) problems.set(line, problem);
    else if (name !== undefined && used.has(name.toLowerCase()))
      problems.set(line, `A device named ${name} already exists. Choose another name.`);
    if (name !== undefined) used.add(name.toLowerCase());
  }
  return problems;
};

export const withRow = (
  rows: readonly ManyRow[],
  line: number,
  change: Partial<Omit<ManyRow, "problem">> & { readonly problem?: BoardProblem | undefined },
): readonly ManyRow[] =>
  rows.map((row) => {
    if (row.line !== line) return row;
    const { problem: _before, ...rest } = row;
    const { problem, ...more } = change;
    return { ...rest, ...more, ...(problem === undefined ? {} : { problem }) };
  });

/** The state of a line after a machine has answered. */
export const afterReached = (reached: Reached): Pick<ManyRow, "state" | "reached"> => ({
  reached,
  state: reached.trust === "known" ? "reached" : reached.trust === "new" ? "new-key" : "changed-key",
});

export interface UnknownKey {
  /** One per machine and key: several boards may be behind the same jump host. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly isJump: boolean;
  readonly key: HostKey;
  readonly lines: readonly number[];
  readonly names: readonly string[];
}

/** Keys that the person has to compare, jump hosts first. */
export const unknownKeys = (rows: readonly ManyRow[]): readonly UnknownKey[] => {
  const found = new Map<string, UnknownKey>();
  for (const { state, reached, line, name } of rows) {
    if (state !== "new-key" || reached === undefined) continue;
    const { host, port, key, isJump } = reached;
    const id = `${host} ${port} ${key.fingerprint}`;
    const before = found.get(id);
    found.set(id, {
      id,
      host,
      port,
      isJump,
      key,
      lines: [...(before?.lines ?? []), line],
      names: [...(before?.names ?? []), name],
    });
  }
  return [...found.values()].toSorted((a, b) => Number(b.isJump) - Number(a.isJump));
};

export type ManyPhase = "list" | "reaching" | "keys" | "sign-in" | "adding" | "done";

/** What the dialog asks for next. */
export const phaseOf = (rows: readonly ManyRow[]): ManyPhase => {
  const has = (...states: ManyState[]) => rows.some(({ state }) => states.includes(state));
  if (rows.length === 0 || has("listed")) return "list";
  if (has("reaching")) return "reaching";
  if (has("new-key")) return "keys";
  if (has("adding")) return "adding";
  if (has("reached")) return "sign-in";
  return "done";
};

/** "3 added, 1 failed" */
export const manySummary = (rows: readonly ManyRow[]): string => {
  const count = (...states: ManyState[]) => rows.filter(({ state }) => states.includes(state)).length;
  const parts = [
    [count("added"), "added"],
    [count("adding"), "adding"],
    [count("reached"), "reached"],
    [count("new-key"), "with a new key"],
    [count("reaching"), "connecting"],
    [count("failed", "changed-key"), "failed"],
  ] as const;
  const said = parts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`);
  return said.length === 0 ? plural(rows.length, "board") : said.join(", ");
};

/** Works on the items in order, at most `atOnce` at the same time; `work` handles its own errors. */
export const inTurn = async <T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const waiting = [...items];
  const next = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, next));
};
