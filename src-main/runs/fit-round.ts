import type { ClientUpdate } from "#contract/events.ts";
import type { Failure, Result } from "#contract/failure.ts";
import type { Study } from "#contract/study.ts";
import { roundShouldClose } from "#main/federation/stop-rules.ts";
import type { Aggregation } from "#main/federation/strategy.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import { type Arrival, aggregateArrivals } from "./aggregate-arrivals.ts";
import type { Asked } from "./client-timing.ts";
import { createFitLedger } from "./fit-ledger.ts";
import type { Control, DeviceReply, DeviceSession, RunPorts } from "./ports.ts";
import { NEXT, SILENT_MS, someOf } from "./waiting.ts";

export interface FitRound {
  readonly updates: readonly ClientUpdate[];
  readonly failures: readonly Failure[];
  readonly examples: number;
}

export interface FitRoundInput {
  readonly run: string;
  readonly round: number;
  readonly sessions: readonly DeviceSession[];
  readonly instruct: (device: string) => OutgoingMessage;
  readonly aggregation: Aggregation;
  readonly stop: Study["stop"];
  readonly ports: Pick<RunPorts, "emit" | "now" | "clients">;
  readonly control: Control;
}

/** How often a waiting round checks the clock and reports which devices it waits for. */
const WAIT_STEP_MS = 1000;

/**
 * The fit half of a round: sends the instruction to every drawn device at once and aggregates the updates as they
 * arrive. Returns when the study's rule closes the round. A device that has not answered by then is left to finish:
 * its update is noted and dropped when it arrives.
 *
 * @throws the control signal's reason when the study is stopped at once.
 */
export const fitRound = async (input: FitRoundInput): Promise<FitRound> => {
  const { run, round, ports, control } = input;
  const startedAt = ports.now();
  const tally: Tally = { aggregated: 0, examples: 0, enoughAt: undefined };
  const alarm = createAlarm();
  const ledger = createFitLedger({ run, round, startedAt, ports, onNote: alarm.ring });
  let isClosed = false;

  const arrivals = aggregateArrivals({
    aggregation: input.aggregation,
    onVerdict({ asked, reply, update }, refusal) {
      if (refusal !== undefined) {
        ledger.failed(asked, "refused", { ...refusal, stage: "aggregate" }, reply);
        return;
      }
      count(tally, update.examples, input.stop, ports.now());
      ledger.aggregated(asked, reply, update.examples);
    },
    onBroken: alarm.break,
  });

  const answered = (asked: Asked, answer: Result<DeviceReply>): void => {
    // Stopped immediately: later answers, above all broken connections, are of no interest.
    if (control.now.aborted) {
      if (answer.ok) answer.value.release();
      return;
    }
    asked.repliedAt = ports.now();
    if (!answer.ok) {
      ledger.failed(asked, "failed", answer.failure);
      return;
    }
    const reply = answer.value;
    const { message } = reply;
    if (isClosed) ledger.failed(asked, "late", tooLate(round), reply);
    else if (message.kind !== "fit" || message.status.code !== 0) {
      ledger.failed(asked, "failed", unusable(message), reply);
    } else {
      const update = { device: asked.device, tensors: message.parameters, examples: message.examples };
      arrivals.add({ asked, reply, update });
    }
  };

  // Progress of another round is not shown in this one.
  const deafen = ports.clients.onTraining((progress) => {
    if (progress.run !== run || progress.round !== round) return;
    ports.emit({ kind: "client-progress", phase: "training", ...progress });
  });

  for (const session of input.sessions) {
    const asked = ledger.ask(session.device);
    ask(session, asked, input)
      .then((answer) => answered(asked, answer))
      .catch(alarm.break);
  }

  control.now.addEventListener("abort", alarm.ring);
  try {
    await untilItCloses(input, { startedAt, tally, alarm, awaited: ledger.awaited });
  } finally {
    isClosed = true;
    deafen();
    control.now.removeEventListener("abort", alarm.ring);
    const tooLateNow = ({ asked, reply }: Arrival) => ledger.failed(asked, "late", tooLate(round), reply);
    (await arrivals.close()).forEach(tooLateNow);
  }
  alarm.throwIfBroken();
  const updates = ledger.close(startedAt, ports.now());
  return { updates, failures: updates.flatMap((u) => u.failure ?? []), examples: tally.examples };
};

/** What was aggregated so far. */
interface Tally {
  aggregated: number;
  examples: number;
  /** When the study's `minUpdates`-th update was in. */
  enoughAt: number | undefined;
}

const count = (tally: Tally, examples: number, { minUpdates }: Study["stop"], now: number): void => {
  tally.aggregated += 1;
  tally.examples += examples;
  if (minUpdates !== undefined && tally.aggregated >= minUpdates) tally.enoughAt ??= now;
};

const ask = (
  session: DeviceSession,
  asked: Asked,
  { run, round, instruct, ports }: FitRoundInput,
): Promise<Result<DeviceReply>> => {
  const { device } = session;
  return session.request(instruct(device), {
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
};

/** Wakes a waiting round, and keeps the error that broke it. */
const createAlarm = () => {
  let wake = () => {};
  let broken: { readonly error: unknown } | undefined;
  const ring = () => wake();
  return {
    ring,
    break(error: unknown): void {
      broken ??= { error };
      ring();
    },
    throwIfBroken(): void {
      if (broken !== undefined) throw broken.error;
    },
    /** Resolves when it rings, at the latest after `ms`. */
    wait: (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
};

/** Resolves when the study's rule closes the round; after two seconds it reports which devices have not answered. */
const untilItCloses = async (
  { run, round, sessions, stop, ports, control }: FitRoundInput,
  of: {
    readonly startedAt: number;
    readonly tally: Readonly<Tally>;
    readonly alarm: ReturnType<typeof createAlarm>;
    awaited(): readonly string[];
  },
): Promise<void> => {
  for (;;) {
    of.alarm.throwIfBroken();
    control.now.throwIfAborted();
    const now = ports.now();
    const awaited = of.awaited();
    const verdict = roundShouldClose({
      drawn: sessions.length,
      aggregated: of.tally.aggregated,
      pending: awaited.length,
      elapsedMs: now - of.startedAt,
      sinceMinUpdatesMs: of.tally.enoughAt === undefined ? undefined : now - of.tally.enoughAt,
      stop,
    });
    if (verdict.close) return;
    const sinceMs = now - of.startedAt;
    if (sinceMs > SILENT_MS) {
      const who = someOf(awaited);
      ports.emit({ kind: "waiting", run, round, stage: "answering", for: who, sinceMs, next: NEXT });
    }
    await of.alarm.wait(Math.min(verdict.waitMs ?? WAIT_STEP_MS, WAIT_STEP_MS));
  }
};

const tooLate = (round: number): Failure => ({
  code: "late",
  stage: "fit",
  cause: `its update for round ${round} arrived after the round had closed and was dropped`,
  next: "Raise stop.deadlineSeconds or stop.graceSeconds to include its updates.",
});

/** Why an answer is not an update at all. */
const unusable = (message: DeviceReply["message"]): Failure => {
  if (message.kind !== "fit") {
    return { code: "protocol-broken", stage: "fit", cause: `it answered a fit request with ${message.kind}` };
  }
  return {
    code: "client-error",
    stage: "fit",
    cause: message.status.message || `it answered with status ${message.status.code}`,
    next: "See the client's own output for the reason.",
  };
};
