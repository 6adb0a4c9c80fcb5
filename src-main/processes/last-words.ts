/**
 * How long to wait for the last output and messages of a process that has ended, in milliseconds. A process that it
 * started and left behind may hold its pipes open for ever.
 */
const LAST_WORDS_MS = 250;

type Output = NodeJS.ReadableStream & { readonly readableEnded?: boolean };

/** Reads a child's output as text, also without a listener: it must not fill the pipe. */
export const asText = (streams: readonly (Output | null | undefined)[]): void => {
  for (const stream of streams) {
    stream?.setEncoding("utf8");
    stream?.on("error", () => {});
    stream?.resume();
  }
};

/** Calls `tell` once: when the child's output has ended and `silent` is true, or when that took too long. */
export const afterLastWords = (
  streams: readonly (Output | null | undefined)[],
  silent: () => boolean,
  tell: () => void,
): { look(): void } => {
  let told = false;
  const tellOnce = () => {
    if (told) return;
    told = true;
    clearTimeout(timer);
    tell();
  };
  const look = () => {
    if (silent() && streams.every((stream) => stream?.readableEnded ?? true)) tellOnce();
  };
  const timer = setTimeout(tellOnce, LAST_WORDS_MS);
  for (const stream of streams) stream?.once("end", look);
  setImmediate(look);
  return { look };
};
