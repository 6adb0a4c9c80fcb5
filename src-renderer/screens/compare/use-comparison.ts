import { useEffect, useRef, useState } from "react";
import type { AtRound, Comparison, StudyRow } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";

/** Running studies are asked for again at most this often. */
const CALM_MS = 1000;

export interface Compared {
  /** Of the last subject that was answered, as long as the next is not. */
  readonly comparison: Comparison | undefined;
  readonly problem: string | undefined;
  readonly isLoading: boolean;
  readonly again: () => void;
}

/** How far the compared studies are: when this changes, figures have. */
const progressOf = (comparison: Comparison | undefined, list: readonly StudyRow[] | undefined): string => {
  const studies = new Set(comparison?.rows.map(({ study }) => study));
  return (list ?? [])
    .filter(({ id }) => studies.has(id))
    .map(({ id, name, status, roundsDone, runsDone }) => [id, name, status, roundsDone, runsDone].join(" "))
    .join("\n");
};

interface Answer {
  readonly of: string;
  readonly comparison?: Comparison;
  readonly problem?: string;
}

/** The same figures once more are no news: the chart is not drawn again. */
const withNews = (before: Answer | undefined, next: Answer): Answer =>
  before !== undefined && JSON.stringify(before) === JSON.stringify(next) ? before : next;

/** The table of what is chosen; of running studies it follows their rounds. */
export const useComparison = (
  subject: {
    readonly studies: readonly string[];
    readonly runs: readonly string[];
    readonly at: AtRound;
    readonly metric: string | undefined;
  },
  list: readonly StudyRow[] | undefined,
): Compared => {
  const { client } = useStates();
  const wanted = JSON.stringify([subject.studies, subject.runs, subject.at, subject.metric ?? null]);
  const [answer, setAnswer] = useState<Answer>();
  const [attempt, setAttempt] = useState(0);
  const asked = useRef({ of: "", at: 0 });
  const progress = progressOf(answer?.comparison, list);
  // biome-ignore lint/correctness/useExhaustiveDependencies: progress and attempt are reasons to ask again
  useEffect(() => {
    const [studies, runs, at, id] = JSON.parse(wanted) as [string[], string[], AtRound, string | null];
    const metric = id ?? undefined;
    if (studies.length + runs.length === 0) return setAnswer(undefined);
    const ask = async () => {
      const mine = { of: wanted, at: Date.now() };
      asked.current = mine;
      try {
        const comparison = await client.reports.compare({ studies, runs, at, metric });
        if (asked.current === mine) setAnswer((before) => withNews(before, { of: wanted, comparison }));
      } catch (error) {
        if (asked.current === mine) setAnswer({ of: wanted, problem: messageOf(error) });
      }
    };
    // A new choice comes at once; rounds that end come when it is calm.
    const since = Date.now() - asked.current.at;
    const timer = setTimeout(ask, asked.current.of === wanted ? Math.max(0, CALM_MS - since) : 0);
    return () => clearTimeout(timer);
  }, [client, wanted, progress, attempt]);
  return {
    comparison: answer?.comparison,
    problem: answer?.of === wanted ? answer.problem : undefined,
    isLoading: answer?.of !== wanted,
    again: () => setAttempt((n) => n + 1),
  };
};
