import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Page } from "playwright-core";

/** The figures of a study: what the page shows, and what the database holds. */

export interface Point {
  readonly round: number;
  readonly accuracy: number | null;
  readonly loss: number | null;
}

export interface RecordedRun {
  readonly algorithm: string;
  readonly trial: number;
  readonly points: readonly Point[];
}

/** Read from the file itself, by no code of the lab. */
export const recordedRuns = (dataDir: string, study: string): readonly RecordedRun[] => {
  const db = new DatabaseSync(join(dataDir, "fedfleet.db"), { readOnly: true });
  try {
    const runs = db
      .prepare("SELECT id, algorithm, trial FROM runs WHERE study_id = ? ORDER BY rowid")
      .all(study) as { id: string; algorithm: string; trial: number }[];
    const rounds = db.prepare(`
      SELECT round, max(value) FILTER (WHERE metric = 'accuracy') AS accuracy,
        max(value) FILTER (WHERE metric = 'loss') AS loss
      FROM round_metrics WHERE run_id = ? GROUP BY round ORDER BY round`);
    return runs.map(({ id, algorithm, trial }) => ({
      algorithm,
      trial,
      points: rounds.all(id).map((row) => ({ ...row }) as unknown as Point),
    }));
  } finally {
    db.close();
  }
};

/** What the file says of the study: "running" after a process that was killed, too. */
export const recordedStatus = (dataDir: string, study: string): string => {
  const db = new DatabaseSync(join(dataDir, "fedfleet.db"), { readOnly: true });
  try {
    return (db.prepare("SELECT status FROM studies WHERE id = ?").get(study) as { status: string }).status;
  } finally {
    db.close();
  }
};

/** A table of the page as text, its head first. */
export const tableOf = async (page: Page, name: string | RegExp): Promise<readonly string[][]> =>
  await page
    .getByRole("table", { name })
    .getByRole("row")
    .evaluateAll((rows) =>
      // biome-ignore lint/suspicious/noExplicitAny: elements of the page, whose types are not known here
      rows.map((row: any) => [...row.cells].map((cell: any) => cell.textContent.trim())),
    );

/** What the chart's table of a study has to say: one column per algorithm, of one trial each. */
export const expectedTable = (
  runs: readonly RecordedRun[],
  metric: "accuracy" | "loss",
): readonly string[][] => {
  const rounds = [...new Set(runs.flatMap((run) => run.points.map(({ round }) => round)))].sort(
    (a, b) => a - b,
  );
  const text = (value: number | null | undefined) => {
    if (value === null || value === undefined) return "–";
    return metric === "accuracy" ? (value * 100).toFixed(2) : value.toFixed(4);
  };
  return rounds.map((round) => [
    String(round),
    ...runs.map((run) => text(run.points.find((point) => point.round === round)?.[metric])),
  ]);
};
