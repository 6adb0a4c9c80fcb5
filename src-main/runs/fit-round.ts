import type { ClientUpdate } from "#contract/events.ts";
import type { Failure, Result } from "#contract/failure.ts";
import type { Study } from "#contract/study.ts";
import { roundShouldClose } from "#main/federation/stop-rules.ts";
import type { Aggregation, Update } from "#main/federation/strategy.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import { type Asked, timingOf, withWait } from "./client-timing.ts";
import { drive } from "./drive.ts";
import { plainMetrics } from "./plain-metrics.ts";
import type { Control, Reply, RunPorts, Session } from "./ports.ts";
import { NEXT, SILENT_MS, someOf } from "./waiting.ts";

export interface FitRound {
  readonly updates: readonly ClientUpdate[];
  readonly failures: readonly Failure[];
  readonly examples: number;
}

/** How often a waiting round looks at the clock; who watches is told for whom it waits at the same pace. */
const WAIT_STEP_MS = 1000;
/** Updates that share one pass over the sums, at most. */
const FOLDED_TOGETHER = 3;

/** An answer that can be folded, and how to give its memory back. */
interface Candidate {
  readonly asked: Asked;
  readonly reply: Reply;
  readonly update: Update;
}

/**
 * The fit half of a round: sends the instruction to every drawn device at once and folds the updates as they
 * arrive. Returns when the study's rule closes the round. A device that has not answered by then is not disturbed:
 * its update is dropped and noted when it comes.
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
  const { run, round, ports, aggregation, control } = input;
  const startedAt = ports.now();
  const updates: ClientUpdate[] = [];
  /** Drawn devices without an entry in `updates`. */
  const pending = new Map<string, Asked>();
  const candidates: Candidate[] = [];
  let folded = 0;
  let examples = 0;
  let minUpdatesAt: number | undefined;
  let closed = false;
  let recorded = false;
  let folding: Promise<void> | undefined;
  const broken: unknown[] = [];
  let wake = () => {};

  const note = (asked: Asked, rest: Omit<ClientUpdate, "device" | "bytesDown" | "timing">) => {
    const { device, bytesDown } = asked;
    const update: ClientUpdate = { ...rest, device, bytesDown, timing: timingOf(asked, startedAt) };
    // What comes after the round was recorded is still an event, but no longer part of its record.
    if (!recorded) updates.push(update);
    pending.delete(device);
    ports.emit({ kind: "client-update", run, round, update });
    wake();
  };

  const fail = (asked: Asked, status: "refused" | "failed" | "late", failure: Failure, reply?: Reply) => {
    const metrics = metricsOf(reply);
    reply?.release();
    const bytesUp = reply?.bytesUp ?? 0;
    note(asked, { status, bytesUp, metrics, failure: { ...failure, device: asked.device } });
  };

  const takeTogether = async (batch: readonly Candidate[]) => {
    const verdicts = await drive(aggregation.take(batch.map((c) => c.update)));
    batch.forEach(({ asked, reply, update }, i) => {
      const verdict = verdicts[i];
      if (verdict === undefined) throw new Error("an update without a verdict");
      if (!verdict.ok) {
        fail(asked, "refused", { ...verdict.failure, stage: "aggregate" }, reply);
        return;
      }
      folded += 1;
      examples += update.examples;
      if (input.stop.minUpdates !== undefined && folded >= input.stop.minUpdates)
        minUpdatesAt ??= ports.now();
      const metrics = metricsOf(reply);
      reply.release();
      note(asked, { status: "folded", examples: update.examples, bytesUp: reply.bytesUp, metrics });
    });
  };

  /** Folds what waits, together, until nothing waits; one such loop runs at a time. */
  const fold = async (first = false) => {
    try {
      // While the clients get their weights and train, the sums get their memory.
      if (first) await drive(aggregation.prepare());
      while (candidates.length > 0) await takeTogether(candidates.splice(0, FOLDED_TOGETHER));
    } catch (error) {
      broken.push(error);
      wake();
    } finally {
      // In the same breath as the last look at `candidates`: whoever comes next starts the next loop.
      folding = undefined;
    }
  };

  const answered = (asked: Asked, answer: Result<Reply>) => {
    // Stopped at once: whatever comes now, a broken connection above all, is nobody's news any more.
    if (control.now.aborted) {
      if (answer.ok) answer.value.release();
      return;
    }
    asked.repliedAt = ports.now();
    if (!answer.ok) {
      fail(asked, "failed", answer.failure);
      return;
    }
    const reply = answer.value;
    const { message } = reply;
    const problem = closed ? tooLate(round) : unusable(message);
    if (problem !== undefined) fail(asked, closed ? "late" : "failed", problem, reply);
    else if (message.kind === "fit") {
      const update = { device: asked.device, tensors: message.parameters, examples: message.examples };
      candidates.push({ asked, reply, update });
      folding ??= fold();
    }
  };

  const ask = (session: Session) => {
    const { device } = session;
    const asked: Asked = {
      device,
      sentAt: undefined,
      uploadAt: undefined,
      repliedAt: undefined,
      bytesDown: 0,
    };
    pending.set(device, asked);
    const answer = session.request(input.instruct(device), {
      onSent: (bytes) => {
        asked.sentAt = ports.now();
        asked.bytesDown = bytes;
        ports.emit({ kind: "client-progress", run, round, device, phase: "sent" });
      },
      onUpload: () => {
        asked.uploadAt = ports.now();
        ports.emit({ kind: "client-progress", run, round, device, phase: "uploading" });
      },
    });
    answer
      .then((result) => answered(asked, result))
      .catch((error: unknown) => {
        broken.push(error);
        wake();
      });
  };

  for (const session of input.sessions) ask(session);
  folding = fold(true);
  const onAbort = () => wake();
  control.now.addEventListener("abort", onAbort);
  try {
    for (;;) {
      if (broken.length > 0) throw broken[0];
      control.now.throwIfAborted();
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
      if (now - startedAt > SILENT_MS) {
        const sinceMs = now - startedAt;
        ports.emit({
          kind: "waiting",
          run,
          round,
          stage: "answering",
          for: someOf([...pending.keys()]),
          sinceMs,
          next: NEXT,
        });
      }
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
    control.now.removeEventListener("abort", onAbort);
    // Updates that are being folded as the round closes are finished: half an update would poison the sum.
    for (const { asked, reply } of candidates.splice(0)) fail(asked, "late", tooLate(round), reply);
    await folding;
  }
  if (broken.length > 0) throw broken[0];
  const closedAt = ports.now();
  for (const asked of [...pending.values()]) {
    fail(asked, "late", unanswered(asked, (closedAt - startedAt) / 1000));
  }
  recorded = true;
  const sorted = updates
    .map((update) => withWait(update, startedAt, closedAt))
    .sort((a, b) => (a.device < b.device ? -1 : 1));
  return { updates: sorted, failures: sorted.flatMap((u) => u.failure ?? []), examples };
};

const metricsOf = (reply: Reply | undefined): ClientUpdate["metrics"] =>
  reply?.message.kind === "fit" ? plainMetrics(reply.message.metrics) : {};

const tooLate = (round: number): Failure => ({
  code: "late",
  stage: "fit",
  cause: `its update of round ${round} came after the round had closed and was dropped`,
  next: "Raise stop.deadlineSeconds or stop.graceSeconds if its updates should count.",
});

const unanswered = (asked: Asked, seconds: number): Failure => ({
  code: "deadline",
  stage: asked.sentAt === undefined ? "download" : asked.uploadAt === undefined ? "fit" : "upload",
  cause: `it had not answered when the round closed after ${seconds.toFixed(1)} s`,
  next: "It stays in the fleet and is drawn again once its answer has come.",
});

/** Why an answer cannot even be looked at as an update. */
const unusable = (message: Reply["message"]): Failure | undefined => {
  if (message.kind !== "fit") {
    return { code: "protocol-broken", stage: "fit", cause: `it answered fit with ${message.kind}` };
  }
  if (message.status.code === 0) return undefined;
  return {
    code: "client-error",
    stage: "fit",
    cause: message.status.message || `it answered with status ${message.status.code}`,
    next: "Look at the client's own output for the reason.",
  };
};
