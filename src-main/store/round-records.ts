import type { ClientEvaluation, RoundResult, RoundSummary } from "#contract/events.ts";
import type { Evaluation } from "#contract/jobs.ts";
import type { MetricValues } from "#contract/metrics.ts";
import { fromExactJson } from "./exact-json.ts";

/** A round as labs of versions 1 to 3 recorded it: accuracy and loss were the only metrics. */
interface FormerFigures {
  readonly loss: number | null;
  readonly accuracy: number | null;
  readonly examples: number;
}
interface FormerRecord extends Omit<RoundResult, "metrics" | "central" | "federated" | "evaluations"> {
  readonly loss: number | null;
  readonly accuracy: number | null;
  readonly central?: FormerFigures & Pick<Evaluation, "perClass">;
  readonly federated?: FormerFigures;
  readonly evaluations: readonly {
    readonly device: string;
    readonly examples: number;
    readonly loss: number;
    readonly accuracy?: number;
  }[];
}

type Recorded = Omit<RoundResult, "updates">;

/** A recorded round without its updates, whichever version wrote it. */
export const readRoundRecord = (body: string): Recorded => {
  const { updates: _, ...record } = fromExactJson(body) as RoundResult | FormerRecord;
  return "metrics" in record ? record : fromFormer(record);
};

/** The metrics of a record without the rest of it; the texts are JSON, null where the record has no such part. */
export const readRecordedMetrics = (parts: {
  readonly metrics: string | null;
  readonly accuracy: string | null;
  readonly loss: string | null;
}): MetricValues => {
  if (parts.metrics !== null) return fromExactJson(parts.metrics) as MetricValues;
  return { accuracy: numberIn(parts.accuracy), loss: numberIn(parts.loss) };
};

const numberIn = (text: string | null): number | null =>
  text === null ? null : (fromExactJson(text) as number | null);

/** As pages and terminals get it. */
export const toSummary = ({ evaluations: _, ...summary }: Recorded): RoundSummary => summary;

const fromFormer = ({
  loss,
  accuracy,
  central,
  federated,
  evaluations,
  ...rest
}: Omit<FormerRecord, "updates">): Recorded => ({
  ...rest,
  metrics: { accuracy, loss },
  ...(central === undefined
    ? {}
    : {
        central: {
          metrics: measured(central),
          examples: central.examples,
          ...(central.perClass === undefined ? {} : { perClass: central.perClass }),
        },
      }),
  ...(federated === undefined
    ? {}
    : {
        federated: {
          metrics: { accuracy: federated.accuracy, loss: federated.loss },
          examples: federated.examples,
        },
      }),
  evaluations: evaluations.map(
    (one): ClientEvaluation => ({
      device: one.device,
      examples: one.examples,
      metrics: measured({ loss: one.loss, accuracy: one.accuracy ?? null }),
    }),
  ),
});

const measured = ({ loss, accuracy }: Pick<FormerFigures, "loss" | "accuracy">): Record<string, number> => ({
  ...(accuracy === null ? {} : { accuracy }),
  ...(loss === null ? {} : { loss }),
});
