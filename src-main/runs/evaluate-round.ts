import type { ClientEvaluation, RefusedMetric } from "#contract/events.ts";
import type { Failure } from "#contract/failure.ts";
import type { MetricValues, ReportedMetrics } from "#contract/metrics.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import type { Control, DeviceSession, RunPorts } from "./ports.ts";
import { holdToMost, sortReported } from "./reported-metrics.ts";
import { NEXT, SILENT_MS, someOf } from "./waiting.ts";

export interface FederatedEvaluation {
  readonly evaluations: readonly ClientEvaluation[];
  readonly failures: readonly Failure[];
  readonly refused: readonly RefusedMetric[];
  /** Means over the devices, weighted by their examples; null when no device answered. */
  readonly mean: { readonly metrics: MetricValues; readonly examples: number } | null;
}

/**
 * Asks every given device to evaluate the global model on its own data, and averages by examples in the order of
 * the devices' names, so that the figures do not depend on which device answers first.
 */
export const evaluateRound = async (input: {
  readonly sessions: readonly DeviceSession[];
  readonly instruct: (device: string) => OutgoingMessage;
  readonly run: string;
  readonly round: number;
  readonly deadlineSeconds: number | undefined;
  /** The task's metrics, those that the study file describes, and those that clients of the run have reported. */
  readonly metrics: {
    readonly own: readonly string[];
    readonly described: ReportedMetrics | undefined;
    /** Names that the run has kept so far; new ones are added. */
    readonly kept: Set<string>;
  };
  readonly ports: Pick<RunPorts, "emit" | "now">;
  readonly control: Control;
}): Promise<FederatedEvaluation> => {
  const evaluations: ClientEvaluation[] = [];
  const failures: Failure[] = [];
  const refused: RefusedMetric[] = [];
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
        cause: `it answered an evaluate request with ${message.kind}`,
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
      const { device } = session;
      const sorted = sortReported(message.metrics, input.metrics.described);
      refused.push(...sorted.refused.map((one) => ({ device, ...one })));
      evaluations.push({
        device,
        examples: message.examples,
        metrics: { loss: message.loss, ...sorted.metrics },
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
      cause: "it had not finished its evaluation by the deadline",
    });
  }
  evaluations.sort((a, b) => (a.device < b.device ? -1 : 1));
  failures.sort((a, b) => ((a.device ?? "") < (b.device ?? "") ? -1 : 1));
  const held = holdToMost(evaluations, input.metrics.kept);
  refused.push(...held.refused);
  refused.sort((a, b) => (a.device < b.device ? -1 : a.device > b.device ? 1 : 0));
  const mean = weightedMean(held.evaluations, input.metrics.own);
  return { evaluations: held.evaluations, failures, refused, mean };
};

const weightedMean = (
  evaluations: readonly ClientEvaluation[],
  own: readonly string[],
): FederatedEvaluation["mean"] => {
  const total = evaluations.reduce((n, e) => n + e.examples, 0);
  if (total === 0) return null;
  const names = new Set([...own, ...evaluations.flatMap(({ metrics }) => Object.keys(metrics))]);
  const meanOf = (name: string): number | null => {
    const told = evaluations.filter(({ metrics }) => Object.hasOwn(metrics, name));
    // A mean without some of the devices would not be comparable with other rounds: rather none.
    if (told.length === 0 || (own.includes(name) && told.length < evaluations.length)) return null;
    const examples = told.reduce((n, e) => n + e.examples, 0);
    return told.reduce((sum, e) => sum + e.metrics[name]! * e.examples, 0) / examples;
  };
  return { metrics: Object.fromEntries([...names].map((name) => [name, meanOf(name)])), examples: total };
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
