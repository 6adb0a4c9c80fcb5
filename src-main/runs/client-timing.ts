import type { ClientTiming, ClientUpdate } from "#contract/events.ts";

/** A device that was asked to train, until it has answered. Times are on the round's clock. */
export interface Asked {
  readonly device: string;
  sentAt: number | undefined;
  uploadAt: number | undefined;
  repliedAt: number | undefined;
  bytesDown: number;
}

/** @param startedAt when the round began, in the milliseconds of the same clock. */
export const timingOf = (asked: Asked, startedAt: number): ClientTiming => ({
  ...(asked.sentAt === undefined ? {} : { downloadMs: asked.sentAt - startedAt }),
  ...(asked.sentAt === undefined || asked.uploadAt === undefined
    ? {}
    : { computeMs: asked.uploadAt - asked.sentAt }),
  ...(asked.uploadAt === undefined || asked.repliedAt === undefined
    ? {}
    : { uploadMs: asked.repliedAt - asked.uploadAt }),
});

/** Adds how long a device waited, after its answer, for the round to close. */
export const withWait = (update: ClientUpdate, startedAt: number, closedAt: number): ClientUpdate => {
  const { downloadMs, computeMs, uploadMs } = update.timing;
  if (update.status === "late" || downloadMs === undefined || computeMs === undefined) return update;
  if (uploadMs === undefined) return update;
  const waitMs = Math.max(0, closedAt - startedAt - downloadMs - computeMs - uploadMs);
  return { ...update, timing: { ...update.timing, waitMs } };
};
