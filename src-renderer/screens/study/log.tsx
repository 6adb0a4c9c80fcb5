import type { StudyView } from "#contract/views.ts";
import { clock } from "#renderer/ui/format.ts";
import { Card } from "#renderer/ui/page.tsx";
import { lineOf } from "./log-lines.ts";
import style from "./study.module.css";

/** What happened, newest first. */
export const Log = ({ view }: { readonly view: StudyView }) => (
  <Card title="Events">
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long list is scrolled with the keyboard, too */}
    <ol className={style.log} tabIndex={0} aria-label="Events, newest first">
      {view.log.toReversed().map(({ id, event }) => {
        const line = lineOf(event, view.runs);
        return (
          line && (
            <li key={id}>
              <time dateTime={event.at}>{clock(event.at)}</time>
              <span>
                <b data-tone={line.tone}>{line.subject}</b> {line.text}
              </span>
            </li>
          )
        );
      })}
    </ol>
  </Card>
);
