import { memo, useMemo } from "react";
import { Link } from "wouter";
import type { LogEntry, RunRow } from "#contract/views.ts";
import { clock } from "#renderer/ui/format.ts";
import { Card, Small } from "#renderer/ui/page.tsx";
import { linesOf } from "./log-lines.ts";
import style from "./study.module.css";

interface LogProps {
  readonly log: readonly LogEntry[];
  readonly runs: readonly RunRow[];
}

/** What happened, newest first. */
export const Log = memo(({ log, runs }: LogProps) => {
  const lines = useMemo(() => linesOf(log, runs), [log, runs]);
  return (
    <Card title="Events">
      {lines.length === 0 && <Small>Nothing has happened yet.</Small>}
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
