import type { ClientEvaluation } from "#contract/events.ts";
import type { Failure } from "#contract/failure.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import { plainMetrics } from "./plain-metrics.ts";
import type { Control, RunPorts, Session } from "./ports.ts";
import { NEXT, SILENT_MS, someOf } from "./waiting.ts";

export interface FederatedEvaluation {
  readonly evaluations: readonly ClientEvaluation[];
  readonly failures: readonly Failure[];
  /** Means over the devices, weighted by their examples; null when no device answered. */
  readonly mean: {
    readonly loss: number;
    readonly accuracy: number | null;
    readonly examples: number;
  } | null;
}

/**
 * Asks every given device to evaluate the global model on its own data, and averages by examples in the order of
 * the devices' names, so that the figures do not depend on who answered first.
 */
export const evaluateRound = async (input: {
  readonly sessions: readonly Session[];
  readonly instruct: (device: string) => OutgoingMessage;
  readonly run: string;
  readonly round: number;
  readonly deadlineSeconds: number | undefined;
  readonly ports: Pick<RunPorts, "emit" | "now">;
  readonly control: Control;
}): Promise<FederatedEvaluation> => {
  const evaluations: ClientEvaluation[] = [];
  const failures: Failure[] = [];
  const waiting = new Set<string>();
  const answers = input.sessions.map(async (session) => {
    waiting.add(session.device);
    const answer = await session.request(input.instruct(session.device));
    if (!waiting.delete(session.device)) {
      if (answer.ok) answer.value.release();
      return;
    }
    const fail = (failure: Omit<Failure, "device">) => failures.push({ ...failure, device: session.device });
    if (!answer.ok) {
      fail({ ...answer.failure, stage: "evaluate" });
      return;
    }
    const { message } = answer.value;
    if (message.kind !== "evaluate") {
      fail({
        code: "protocol-broken",
        stage: "evaluate",
        cause: `it answered evaluate with ${message.kind}`,
      });
    } else if (message.status.code !== 0) {
      fail({
        code: "client-error",
        stage: "evaluate",
        cause: message.status.message || "it could not evaluate",
      });
    } else if (!Number.isSafeInteger(message.examples) || message.examples <= 0) {
      fail({ code: "no-examples", stage: "evaluate", cause: `it evaluated on ${message.examples} examples` });
    } else if (!Number.isFinite(message.loss)) {
      fail({ code: "not-finite", stage: "evaluate", cause: "its loss is not a finite number" });
    } else {
      const metrics = plainMetrics(message.metrics);
      const accuracy = metrics.accuracy;
      evaluations.push({
        device: session.device,
        examples: message.examples,
        loss: message.loss,
        ...(typeof accuracy === "number" && Number.isFinite(accuracy) ? { accuracy } : {}),
        metrics,
      });
    }
    answer.value.release();
  });
  const startedAt = input.ports.now();
  const ticking = setInterval(() => {
    const sinceMs = input.ports.now() - startedAt;
    if (sinceMs < SILENT_MS) return;
    const { run, round } = input;
    const who = `${someOf([...waiting])} to evaluate`;
    input.ports.emit({ kind: "waiting", run, round, stage: "answering", for: who, sinceMs, next: NEXT });
  }, 1000);
  try {
    await settle(Promise.all(answers), input.deadlineSeconds, input.control.now);
  } finally {
    clearInterval(ticking);
  }
  for (const device of [...waiting]) {
    waiting.delete(device);
    failures.push({
      code: "deadline",
      device,
      stage: "evaluate",
      cause: "it had not evaluated by the deadline",
    });
  }
  evaluations.sort((a, b) => (a.device < b.device ? -1 : 1));
  failures.sort((a, b) => ((a.device ?? "") < (b.device ?? "") ? -1 : 1));
  return { evaluations, failures, mean: weightedMean(evaluations) };
};

const weightedMean = (evaluations: readonly ClientEvaluation[]): FederatedEvaluation["mean"] => {
  const examples = evaluations.reduce((n, e) => n + e.examples, 0);
  if (examples === 0) return null;
  const loss = evaluations.reduce((sum, e) => sum + e.loss * e.examples, 0) / examples;
  // One device that tells no accuracy makes the mean a mean of something else: better none.
  const known = evaluations.every((e) => e.accuracy !== undefined);
  const accuracy = known
    ? evaluations.reduce((sum, e) => sum + (e.accuracy ?? 0) * e.examples, 0) / examples
    : null;
  return { loss, accuracy, examples };
};

const settle = async (
  all: Promise<unknown>,
  deadlineSeconds: number | undefined,
  signal: AbortSignal,
): Promise<void> => {
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
  });
  const deadline = new Promise<void>((resolve) => {
    if (deadlineSeconds !== undefined) timer = setTimeout(resolve, deadlineSeconds * 1000);
  });
  try {
    await Promise.race([all, deadline, aborted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
};
