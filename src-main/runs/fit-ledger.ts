import type { ClientUpdate } from "#contract/events.ts";
import type { Failure } from "#contract/failure.ts";
import { type Asked, timingOf, withWait } from "./client-timing.ts";
import { plainMetrics } from "./plain-metrics.ts";
import type { DeviceReply, RunPorts } from "./ports.ts";

/** The devices asked in a round, those that have not answered, and the outcome of each answer. */
export interface FitLedger {
  /** Notes that a device was asked. */
  ask(device: string): Asked;
  /** Devices that have not answered yet. */
  awaited(): readonly string[];
  aggregated(asked: Asked, reply: DeviceReply, examples: number): void;
  /** Also releases the reply's memory. */
  failed(asked: Asked, status: "refused" | "failed" | "late", failure: Failure, reply?: DeviceReply): void;
  /** Closes the record; devices that have not answered are late. @returns the updates, sorted by device */
  close(startedAt: number, closedAt: number): readonly ClientUpdate[];
}

/** @param onNote called whenever an answer was noted */
export const createFitLedger = (input: {
  readonly run: string;
  readonly round: number;
  readonly startedAt: number;
  readonly ports: Pick<RunPorts, "emit">;
  onNote(): void;
}): FitLedger => {
  const { run, round, startedAt, ports } = input;
  const updates: ClientUpdate[] = [];
  /** Asked devices without an entry in `updates`. */
  const pending = new Map<string, Asked>();
  let isClosed = false;

  const note = (asked: Asked, rest: Omit<ClientUpdate, "device" | "bytesDown" | "timing">): void => {
    const { device, bytesDown } = asked;
    const update: ClientUpdate = { ...rest, device, bytesDown, timing: timingOf(asked, startedAt) };
    // An answer that comes after the round was recorded is still an event, but not part of its record.
    if (!isClosed) updates.push(update);
    pending.delete(device);
    ports.emit({ kind: "client-update", run, round, update });
    input.onNote();
  };

  const failed: FitLedger["failed"] = (asked, status, failure, reply) => {
    const metrics = metricsOf(reply);
    reply?.release();
    const bytesUp = reply?.bytesUp ?? 0;
    note(asked, { status, bytesUp, metrics, failure: { ...failure, device: asked.device } });
  };

  return {
    ask(device) {
      const asked: Asked = {
        device,
        sentAt: undefined,
        uploadAt: undefined,
        repliedAt: undefined,
        bytesDown: 0,
      };
      pending.set(device, asked);
      return asked;
    },
    awaited: () => [...pending.keys()],
    aggregated(asked, reply, examples) {
      const metrics = metricsOf(reply);
      reply.release();
      note(asked, { status: "folded", examples, bytesUp: reply.bytesUp, metrics });
    },
    failed,
    close(startedAt, closedAt) {
      for (const asked of [...pending.values()]) {
        failed(asked, "late", unanswered(asked, (closedAt - startedAt) / 1000));
      }
      isClosed = true;
      return updates
        .map((update) => withWait(update, startedAt, closedAt))
        .sort((a, b) => (a.device < b.device ? -1 : 1));
    },
  };
};

const metricsOf = (reply: DeviceReply | undefined): ClientUpdate["metrics"] =>
  reply?.message.kind === "fit" ? plainMetrics(reply.message.metrics) : {};

const unanswered = (asked: Asked, seconds: number): Failure => ({
  code: "deadline",
  stage: asked.sentAt === undefined ? "download" : asked.uploadAt === undefined ? "fit" : "upload",
  cause: `it had not answered when the round closed after ${seconds.toFixed(1)} s`,
  next: "It stays in the fleet and can be drawn again once it has answered.",
});
