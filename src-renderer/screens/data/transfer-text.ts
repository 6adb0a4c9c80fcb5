import type { Transfer } from "#contract/views.ts";
import { bytes, estimate } from "#renderer/ui/format.ts";

/** How far a transfer was at a moment: `at` in milliseconds of a steady clock, `done` in bytes. */
export interface TransferSample {
  readonly at: number;
  readonly done: number;
}

/** The speed is that of these last milliseconds: long enough to be steady, short enough to be current. */
const WINDOW_MS = 4000;

export const withSample = (
  samples: readonly TransferSample[],
  next: TransferSample,
): readonly TransferSample[] => {
  const last = samples.at(-1);
  // less than before: it has started again
  if (last !== undefined && next.done < last.done) return [next];
  return [...samples.filter(({ at }) => next.at - at <= WINDOW_MS), next];
};

/** Bytes per second; undefined until there are enough samples. */
export const speedOf = (samples: readonly TransferSample[]): number | undefined => {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < 400) return undefined;
  return ((last.done - first.done) / (last.at - first.at)) * 1000;
};

/** "45 of 170 MB · 3.1 MB/s · 40 s left" */
export const progressText = (transfer: Transfer, speed: number | undefined): string => {
  const { done, total, what } = transfer;
  if (done === undefined || total === undefined)
    return what === "register" ? "reading and checking the files" : "connecting";
  if (done >= total)
    return what === "register" ? "checking the files" : `${bytes(total)} downloaded; verifying and unpacking`;
  const parts = [`${bytes(done)} of ${bytes(total)}`];
  if (speed !== undefined && speed > 0)
    parts.push(`${bytes(speed)}/s`, `${estimate((total - done) / speed)} left`);
  return parts.join(" · ");
};
