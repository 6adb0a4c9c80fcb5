import type { DatasetView } from "#contract/views.ts";

/** A line of the catalogue. Its `next` names commands; a page has buttons. */
export type Entry = Omit<DatasetView, "registered">;

const asSentence = (text: string): string => {
  const trimmed = text.trim();
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? "" : "."}`;
};

/** The message of a refusal without the room's name, which says nothing on a page of data sets. */
export const plainProblem = (message: string): string => message.replace(/^dataset: /, "");

const nextOf = (entry: Entry, registered: boolean): string | undefined => {
  if (entry.state === "ready" || entry.next === undefined) return undefined;
  if (entry.state === "damaged" && registered) {
    return entry.downloadBytes === undefined
      ? "Register it anew, or take it off the list."
      : "Register it anew, download it, or take it off the list.";
  }
  if (entry.downloadBytes !== undefined) return "Download it, or register a copy that you have.";
  // what comes with the lab is mended where the lab is installed, and the catalogue says so
  return entry.next.includes("fedfleet") ? "Register a copy that you have." : asSentence(entry.next);
};

export const datasetView = (entry: Entry, registered: boolean): DatasetView => {
  const { next: _, problem, ...rest } = entry;
  const next = nextOf(entry, registered);
  return {
    ...rest,
    ...(problem === undefined ? {} : { problem: plainProblem(problem) }),
    ...(next === undefined ? {} : { next }),
    registered,
  };
};
