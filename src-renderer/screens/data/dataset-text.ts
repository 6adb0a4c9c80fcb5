import type { DatasetView, Transfer } from "#contract/views.ts";
import { asSentence, bytes } from "#renderer/ui/format.ts";

export const VERIFIED: Readonly<Record<NonNullable<DatasetView["verified"]>, string>> = {
  official: "official files, checksum verified",
  structure: "structure checked; there is no official checksum",
};

const FORMATS: readonly (readonly [RegExp, string])[] = [
  [/-idx$/, "IDX files"],
  [/-binary$/, "binary files"],
  [/-python$/, "Python pickle files"],
];

/** "fashion-mnist-idx", which is the lab's name of a reader, as words. */
export const formatText = (format: string): string =>
  FORMATS.find(([ending]) => ending.test(format))?.[1] ?? format;

/** What is wrong with a damaged data set, and what to do. */
export const damageText = ({ problem, next }: Pick<DatasetView, "problem" | "next">): string =>
  `${asSentence(problem ?? "Its files have the wrong content")}${next === undefined ? "" : ` ${next}`}`;

/** A long path is cut in the middle: its start says which disk, its end which data. */
export const shortPath = (path: string, most = 44): string => {
  if (path.length <= most) return path;
  const end = Math.ceil((most - 1) * 0.62);
  return `${path.slice(0, most - 1 - end)}…${path.slice(-end)}`;
};

/** The label of the button that downloads the data set. */
export const downloadLabel = (
  entry: Pick<DatasetView, "downloadBytes">,
  transfer: Pick<Transfer, "state"> | undefined,
): string => {
  if (transfer?.state === "stopped") return "Resume";
  if (transfer?.state === "failed") return "Try again";
  return entry.downloadBytes === undefined ? "Download" : `Download ${bytes(entry.downloadBytes)}`;
};

/** "CIFAR-10 (50,000 + 10,000 colour images, 10 classes)" in its two parts. */
export const titleParts = (title: string): { readonly title: string; readonly about: string | undefined } => {
  const found = /^(.+?) \(([^()]+)\)$/.exec(title);
  return { title: found?.[1] ?? title, about: found?.[2] };
};
