import type { DatasetView } from "#contract/views.ts";

/** An entry of the catalogue. Its `next` names commands; a page has buttons. */
export type Entry = Omit<DatasetView, "registered">;

const asSentence = (text: string): string => {
  const trimmed = text.trim();
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? "" : "."}`;
};

/** The message of a refusal without its prefix, which is obvious on a page of data sets. */
export const plainProblem = (message: string): string => message.replace(/^dataset: /, "");

const nextOf = (entry: Entry, registered: boolean): string | undefined => {
  if (entry.state === "ready" || entry.next === undefined) return undefined;
  if (entry.state === "damaged" && registered) {
    return entry.downloadBytes === undefined
      ? "Register it again, or remove it from the list."
      : "Register it again, download it, or remove it from the list.";
  }
  if (entry.downloadBytes !== undefined) return "Download it, or register a copy that you already have.";
  // a bundled data set is repaired by installing the lab again, as the catalogue says
  return entry.next.includes("fedfleet") ? "Register a copy that you already have." : asSentence(entry.next);
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
