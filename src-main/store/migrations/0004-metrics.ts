import type { Migration } from "#main/store/database.ts";

/**
 * A round is judged by any number of metrics, no longer by accuracy and loss alone. Records of rounds stay as they
 * were written: whoever reads them understands both forms (round-records.ts).
 */
export const metrics: Migration = {
  version: 4,
  title: "any number of metrics per round",
  sql: `
-- null where a metric was not measured, or is not a finite number
CREATE TABLE round_metrics (
  run_id TEXT NOT NULL,
  round  INTEGER NOT NULL,
  metric TEXT NOT NULL,
  value  REAL,
  PRIMARY KEY (run_id, round, metric),
  FOREIGN KEY (run_id, round) REFERENCES rounds (run_id, round) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO round_metrics SELECT run_id, round, 'accuracy', accuracy FROM rounds;
INSERT INTO round_metrics SELECT run_id, round, 'loss', loss FROM rounds;
ALTER TABLE rounds DROP COLUMN accuracy;
ALTER TABLE rounds DROP COLUMN loss;
`,
};
