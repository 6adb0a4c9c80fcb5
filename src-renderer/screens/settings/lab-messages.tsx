import { useLab, useNow } from "#renderer/state/use-states.ts";
import { clock, day } from "#renderer/ui/format.ts";
import { Card, Small } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import style from "./lab-messages.module.css";

/** What the lab has reported while this page was open, newest first. */
export const LabMessages = () => {
  const said = useLab((state) => state.said);
  const now = useNow(60_000);
  return (
    <Card title="Messages" note="from the lab since this page was opened, newest first">
      {said.length === 0 ? (
        <Small>No messages yet. The lab reports here, for example, why a study could not continue.</Small>
      ) : (
        <ScrollBox className={style.box} label="Messages">
          <ol className={style.messages}>
            {said.toReversed().map((notice, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same message may come twice in a moment
              <li key={`${notice.at} ${i}`} {...(notice.problem ? { "data-problem": true } : {})}>
                <time dateTime={notice.at} title={day(notice.at, now)}>
                  {clock(notice.at)}
                </time>
                <span>{notice.message}</span>
              </li>
            ))}
          </ol>
        </ScrollBox>
      )}
    </Card>
  );
};
