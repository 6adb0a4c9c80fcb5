import type { BoardLogLine } from "#contract/boards.ts";

/** Lines that are drawn at most: the rest is a click away. */
export const MOST_LINES = 3000;

/** Lines that were asked for, then those that came by themselves; none twice, in order. */
export const joined = (
  asked: readonly BoardLogLine[],
  tail: readonly BoardLogLine[],
  search: string,
): readonly BoardLogLine[] => {
  const last = asked.at(-1)?.id ?? 0;
  const wanted = search.trim().toLowerCase();
  const fresh = tail.filter(
    ({ id, text }) => id > last && (wanted === "" || text.toLowerCase().includes(wanted)),
  );
  return fresh.length === 0 ? asked : [...asked, ...fresh].slice(-MOST_LINES);
};

/** As a file would have them. */
export const asText = (lines: readonly BoardLogLine[]): string =>
  lines.map(({ at, stream, text }) => `${at} ${stream} ${text}`).join("\n");

/** Programs say much on standard error that is no error: only what reads like trouble is marked as such. */
export const isTrouble = ({ stream, text }: BoardLogLine): boolean =>
  stream === "stderr" &&
  /\b(error|exception|traceback|fatal|warn(ing)?|killed|denied|refused|failed)\b/i.test(text);

export const STREAM_MARKS: Readonly<
  Record<BoardLogLine["stream"], { readonly mark: string; readonly word: string }>
> = {
  stdout: { mark: "", word: "" },
  stderr: { mark: "!", word: "standard error" },
  lab: { mark: "»", word: "the lab" },
};
