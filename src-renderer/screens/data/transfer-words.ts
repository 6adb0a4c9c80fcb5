import type { DatasetView, Transfer } from "#contract/views.ts";
import { bytes, estimate } from "#renderer/ui/format.ts";

/** How far a transfer was at a moment; milliseconds of a steady clock. */
export interface Sample {
  readonly at: number;
  readonly done: number;
}

/** The speed is taken over so long: long enough to be calm, short enough to be true. */
const WINDOW_MS = 4000;

export const withSample = (samples: readonly Sample[], next: Sample): readonly Sample[] => {
  const last = samples.at(-1);
  // less than before: it began anew
  if (last !== undefined && next.done < last.done) return [next];
  return [...samples.filter(({ at }) => next.at - at <= WINDOW_MS), next];
};

/** Bytes a second; undefined until there is something to say. */
export const speedOf = (samples: readonly Sample[]): number | undefined => {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < 400) return undefined;
  return ((last.done - first.done) / (last.at - first.at)) * 1000;
};

/** "45 of 170 MB · 3.1 MB/s · 40 s left" */
export const progressText = (transfer: Transfer, speed: number | undefined): string => {
  const { done, total, what } = transfer;
  if (done === undefined || total === undefined)
    return what === "register" ? "reading and examining it" : "asking for it";
  if (done >= total)
    return what === "register" ? "read; examining it" : `all ${bytes(total)} here; checking and unpacking`;
  const parts = [`${bytes(done)} of ${bytes(total)}`];
  if (speed !== undefined && speed > 0)
    parts.push(`${bytes(speed)}/s`, `${estimate((total - done) / speed)} left`);
  return parts.join(" · ");
};

export const VERIFIED: Readonly<Record<NonNullable<DatasetView["verified"]>, string>> = {
  official: "the official files, by their checksum",
  structure: "its structure was examined; there is no official checksum to compare with",
};

/** A path that is too long is cut in its middle: its beginning says which disk, its end which data. */
export const shortPath = (path: string, most = 44): string => {
  if (path.length <= most) return path;
  const end = Math.ceil((most - 1) * 0.62);
  return `${path.slice(0, most - 1 - end)}…${path.slice(-end)}`;
};

/** What a button says that fetches the data set. */
export const downloadLabel = (entry: DatasetView, transfer: Transfer | undefined): string => {
  const size = entry.downloadBytes === undefined ? "" : ` ${bytes(entry.downloadBytes)}`;
  if (transfer?.state === "stopped") return "Go on";
  if (transfer?.state === "failed") return "Try again";
  return `Download${size}`;
};

/** "CIFAR-10 (50,000 + 10,000 colour images, 10 classes)" in its two parts. */
export const titleParts = (title: string): { readonly title: string; readonly about: string | undefined } => {
  const found = /^(.+?) \(([^()]+)\)$/.exec(title);
  return { title: found?.[1] ?? title, about: found?.[2] };
};
