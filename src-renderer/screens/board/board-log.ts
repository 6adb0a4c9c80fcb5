import type { BoardLogLine } from "#contract/boards.ts";

/** The most lines that are drawn at once; a button loads older ones. */
const MOST_LINES = 3000;

/** Loaded lines followed by streamed ones: in order, none twice. */
export const joinedLines = (
  loaded: readonly BoardLogLine[],
  tail: readonly BoardLogLine[],
  search: string,
): readonly BoardLogLine[] => {
  const last = loaded.at(-1)?.id ?? 0;
  const wanted = search.trim().toLowerCase();
  const fresh = tail.filter(
    ({ id, text }) => id > last && (wanted === "" || text.toLowerCase().includes(wanted)),
  );
  return fresh.length === 0 ? loaded : [...loaded, ...fresh].slice(-MOST_LINES);
};

/** The lines as a text file. */
export const logText = (lines: readonly BoardLogLine[]): string =>
  lines.map(({ at, stream, text }) => `${at} ${stream} ${text}`).join("\n");

/** Programs print much to standard error that is no error: only lines that look like trouble are marked. */
export const looksLikeTrouble = ({ stream, text }: BoardLogLine): boolean =>
  stream === "stderr" &&
  /\b(error|exception|traceback|fatal|warn(ing)?|killed|denied|refused|failed)\b/i.test(text);

export const STREAM_MARKS: Readonly<
  Record<BoardLogLine["stream"], { readonly mark: string; readonly word: string }>
> = {
  stdout: { mark: "", word: "" },
  stderr: { mark: "!", word: "standard error" },
  lab: { mark: "»", word: "the lab" },
};
