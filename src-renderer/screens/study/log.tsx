import { memo, useMemo } from "react";
import { Link } from "wouter";
import type { Metric } from "#contract/metrics.ts";
import type { LogEntry, RunRow } from "#contract/views.ts";
import { clock } from "#renderer/ui/format.ts";
import { Card, Small } from "#renderer/ui/page.tsx";
import { linesOf } from "./log-lines.ts";
import style from "./study.module.css";

interface LogProps {
  readonly log: readonly LogEntry[];
  readonly runs: readonly RunRow[];
  /** The primary one first: the first that a round knows is told. */
  readonly metrics: readonly Metric[];
}

/** What happened, newest first. */
export const Log = memo(({ log, runs, metrics }: LogProps) => {
  const lines = useMemo(() => linesOf(log, runs, metrics), [log, runs, metrics]);
  return (
    <Card title="Events">
      {lines.length === 0 && <Small>No events yet.</Small>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long list is scrolled with the keyboard, too */}
      <ol className={style.log} tabIndex={0} aria-label="Events, newest first">
        {lines.map((line) => (
          <li key={line.id}>
            <time dateTime={line.at}>{clock(line.at)}</time>
            <span>
              <b data-tone={line.tone}>
                {line.board === undefined ? (
                  line.subject
                ) : (
                  <Link href={`/fleet/${encodeURIComponent(line.board)}`}>{line.subject}</Link>
                )}
              </b>{" "}
              {line.text}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
});
Log.displayName = "Log";
