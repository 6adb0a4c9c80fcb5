import type { ClientTiming, ClientUpdate } from "#contract/events.ts";
import type { Failure } from "#contract/failure.ts";
import type { Study } from "#contract/study.ts";
import { roundShouldClose } from "#main/federation/stop-rules.ts";
import type { Aggregation } from "#main/federation/strategy.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import type { Config } from "#main/wire/protocol.ts";
import { drive } from "./drive.ts";
import type { Control, Reply, RunPorts, Session } from "./ports.ts";

export interface FitRound {
  readonly updates: readonly ClientUpdate[];
  readonly failures: readonly Failure[];
  readonly examples: number;
}

interface Pending {
  readonly device: string;
  sentAt: number | undefined;
  uploadAt: number | undefined;
  bytesDown: number;
  repliedAt: number | undefined;
}

/**
 * The fit half of a round: sends the instruction to every drawn device at once and folds each update as it
 * arrives, one at a time. Returns when the study's rule closes the round. A device that has not answered by then
 * is not disturbed: its update is dropped and noted when it comes.
 *
 * @throws the control signal's reason when the study is stopped at once.
 */
export const fitRound = async (input: {
  readonly run: string;
  readonly round: number;
  readonly sessions: readonly Session[];
  readonly instruct: (device: string) => OutgoingMessage;
  readonly aggregation: Aggregation;
  readonly stop: Study["stop"];
  readonly ports: Pick<RunPorts, "emit" | "now">;
  readonly control: Control;
}): Promise<FitRound> => {
  const { run, round, ports, aggregation } = input;
  const startedAt = ports.now();
  const updates: ClientUpdate[] = [];
  const failures: Failure[] = [];
  const pending = new Map<string, Pending>();
  let folded = 0;
  let examples = 0;
  let minUpdatesAt: number | undefined;
  let closed = false;
  let finalised = false;
  const noted = new Set<string>();
  let queue: Promise<void> = Promise.resolve();
  let wake: () => void = () => {};

  const note = (update: ClientUpdate) => {
    // What comes after the round was recorded is still an event, but no longer part of its record.
    if (!finalised) {
      noted.add(update.device);
      updates.push(update);
      if (update.failure) failures.push(update.failure);
    }
    ports.emit({ kind: "client-update", run, round, update });
  };

  const take = async (state: Pending, reply: Reply): Promise<void> => {
    const base = {
      device: state.device,
      bytesDown: state.bytesDown,
      bytesUp: reply.bytesUp,
      timing: timingOf(state, startedAt),
    };
    const { message } = reply;
    const metrics = message.kind === "fit" ? plainMetrics(message.metrics) : {};
    const refuse = (status: "refused" | "failed" | "late", failure: Omit<Failure, "device">) =>
      note({ ...base, status, metrics, failure: { ...failure, device: state.device } });

    if (closed) {
      refuse("late", {
        code: "late",
        stage: "fit",
        cause: `its update of round ${round} came after the round had closed and was dropped`,
        next: "Raise stop.deadlineSeconds or stop.graceSeconds if its updates should count.",
      });
    } else if (message.kind !== "fit") {
      refuse("failed", {
        code: "protocol-broken",
        stage: "fit",
        cause: `it answered fit with ${message.kind}`,
      });
    } else if (message.status.code !== 0) {
      refuse("failed", {
        code: "client-error",
        stage: "fit",
        cause: message.status.message || `it answered with status ${message.status.code}`,
        next: "Look at the client's own output for the reason.",
      });
    } else {
      const verdict = await drive(aggregation.check(message.parameters, message.examples));
      if (!verdict.ok) {
        refuse("refused", { code: verdict.failure.code, stage: "aggregate", cause: verdict.failure.cause });
      } else if (closed) {
        refuse("late", {
          code: "late",
          stage: "fit",
          cause: "its update arrived as the round closed and was dropped",
        });
      } else {
        await drive(
          aggregation.fold({ device: state.device, tensors: message.parameters, examples: message.examples }),
        );
        folded += 1;
        examples += message.examples;
        if (input.stop.minUpdates !== undefined && folded >= input.stop.minUpdates)
          minUpdatesAt ??= ports.now();
        note({ ...base, status: "folded", examples: message.examples, metrics });
      }
    }
    reply.release();
  };

  for (const session of input.sessions) {
    const state: Pending = {
      device: session.device,
      sentAt: undefined,
      uploadAt: undefined,
      bytesDown: 0,
      repliedAt: undefined,
    };
    pending.set(session.device, state);
    const answer = session.request(input.instruct(session.device), {
      onSent: (bytes) => {
        state.sentAt = ports.now();
        state.bytesDown = bytes;
        ports.emit({ kind: "client-progress", run, round, device: session.device, phase: "sent" });
      },
      onUpload: () => {
        state.uploadAt = ports.now();
        ports.emit({ kind: "client-progress", run, round, device: session.device, phase: "uploading" });
      },
    });
    void answer.then((result) => {
      state.repliedAt = ports.now();
      // Updates are folded one after the other: a second one in the sum at the same time gains nothing.
      queue = queue.then(async () => {
        if (result.ok) await take(state, result.value);
        else {
          note({
            device: state.device,
            status: "failed",
            bytesDown: state.bytesDown,
            bytesUp: 0,
            timing: timingOf(state, startedAt),
            metrics: {},
            failure: { ...result.failure, device: state.device },
          });
        }
        pending.delete(state.device);
        wake();
      });
      queue.catch((error: unknown) => {
        broken = { error };
        wake();
      });
    });
  }

  let broken: { error: unknown } | undefined;
  const onAbort = () => wake();
  input.control.now.addEventListener("abort", onAbort);
  try {
    for (;;) {
      if (broken) throw broken.error;
      input.control.now.throwIfAborted();
      const now = ports.now();
      const verdict = roundShouldClose({
        drawn: input.sessions.length,
        folded,
        pending: pending.size,
        elapsedMs: now - startedAt,
        sinceMinUpdatesMs: minUpdatesAt === undefined ? undefined : now - minUpdatesAt,
        stop: input.stop,
      });
      if (verdict.close) break;
      if (now - startedAt > 2000) announceWaiting(input, pending, ports, now - startedAt);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(verdict.waitMs ?? WAIT_STEP_MS, WAIT_STEP_MS));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    closed = true;
    input.control.now.removeEventListener("abort", onAbort);
  }
  // An update that was being folded when the round closed is finished: a half-folded one would poison the sum.
  await queue;
  finalised = true;
  const closedAt = ports.now();
  for (const state of pending.values()) {
    if (noted.has(state.device)) continue;
    const failure: Failure = {
      code: "deadline",
      device: state.device,
      stage: state.sentAt === undefined ? "download" : state.uploadAt === undefined ? "fit" : "upload",
      cause: `it had not answered when the round closed after ${((closedAt - startedAt) / 1000).toFixed(1)} s`,
      next: "It stays in the fleet and is drawn again once its answer has come.",
    };
    failures.push(failure);
    const update: ClientUpdate = {
      device: state.device,
      status: "late",
      bytesDown: state.bytesDown,
      bytesUp: 0,
      timing: timingOf(state, startedAt),
      metrics: {},
      failure,
    };
    updates.push(update);
    ports.emit({ kind: "client-update", run, round, update });
  }
  const sorted = updates
    .map((u): ClientUpdate => withWait(u, startedAt, closedAt))
    .sort((a, b) => (a.device < b.device ? -1 : 1));
  return { updates: sorted, failures: failures.sort(byDevice), examples };
};

/** How often a waiting round looks at the clock; the page is told for whom it waits at the same pace. */
const WAIT_STEP_MS = 1000;

const byDevice = (a: Failure, b: Failure): number => ((a.device ?? "") < (b.device ?? "") ? -1 : 1);

const timingOf = (state: Pending, startedAt: number): ClientTiming => ({
  ...(state.sentAt === undefined ? {} : { downloadMs: state.sentAt - startedAt }),
  ...(state.sentAt === undefined || state.uploadAt === undefined
    ? {}
    : { computeMs: state.uploadAt - state.sentAt }),
  ...(state.uploadAt === undefined || state.repliedAt === undefined
    ? {}
    : { uploadMs: state.repliedAt - state.uploadAt }),
});

const withWait = (update: ClientUpdate, startedAt: number, closedAt: number): ClientUpdate => {
  const { downloadMs, computeMs, uploadMs } = update.timing;
  if (
    update.status === "late" ||
    downloadMs === undefined ||
    computeMs === undefined ||
    uploadMs === undefined
  ) {
    return update;
  }
  const waitMs = Math.max(0, closedAt - startedAt - downloadMs - computeMs - uploadMs);
  return { ...update, timing: { ...update.timing, waitMs } };
};

/** Metrics as they are recorded: numbers, strings and booleans; bytes are left out, big integers become text. */
export const plainMetrics = (metrics: Config): Record<string, number | string | boolean> => {
  const plain: Record<string, number | string | boolean> = {};
  for (const [key, value] of Object.entries(metrics)) {
    if (typeof value === "bigint") plain[key] = value.toString();
    else if (!(value instanceof Uint8Array)) plain[key] = value;
  }
  return plain;
};

const announceWaiting = (
  input: { run: string; round: number },
  pending: ReadonlyMap<string, Pending>,
  ports: Pick<RunPorts, "emit">,
  sinceMs: number,
) => {
  const names = [...pending.keys()];
  const shown = names.slice(0, 3).join(", ");
  ports.emit({
    kind: "waiting",
    run: input.run,
    round: input.round,
    stage: "answering",
    for: names.length > 3 ? `${shown} and ${names.length - 3} more` : shown,
    sinceMs,
    next: "Press Ctrl-C to stop after this round.",
  });
};
