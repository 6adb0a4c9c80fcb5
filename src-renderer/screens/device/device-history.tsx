import { memo } from "react";
import { Link } from "wouter";
import type { DeviceUpdate } from "#contract/views.ts";
import { bytes, count, duration, plural } from "#renderer/ui/format.ts";
import { Card, Empty, Pill, Small, scrollClass, type Tone, tableClass } from "#renderer/ui/page.tsx";
import { AlgorithmChip } from "#renderer/ui/words.tsx";
import style from "./device.module.css";

const STATUS: Readonly<Record<DeviceUpdate["status"], { tone: Tone; mark: string }>> = {
  folded: { tone: "ok", mark: "✓" },
  refused: { tone: "bad", mark: "✕" },
  failed: { tone: "bad", mark: "✕" },
  late: { tone: "warn", mark: "◔" },
};

/** Its updates on record, newest first. */
export const DeviceHistory = memo(
  ({ updates, limit }: { readonly updates: readonly DeviceUpdate[] | undefined; readonly limit: number }) => {
    if (updates === undefined) return null;
    if (updates.length === 0) {
      return (
        <Card title="Rounds">
          <Empty
            title="No round yet"
            text="When a study draws this device, each of its updates is a line here."
          />
        </Card>
      );
    }
    return (
      <Card
        title="Rounds"
        note={
          updates.length < limit
            ? `${plural(updates.length, "update")}, newest first`
            : `the latest ${count(limit)} updates, newest first`
        }
      >
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long table is scrolled with the keyboard, too */}
        <section className={`${scrollClass} ${style.history}`} tabIndex={0} aria-label="Rounds of the device">
          <table className={tableClass}>
            <thead>
              <tr>
                <th>Study</th>
                <th>Algorithm</th>
                <th data-num>Trial</th>
                <th data-num>Round</th>
                <th>Update</th>
                <th data-num>Compute</th>
                <th data-num>Upload</th>
                <th data-num>Waited</th>
                <th data-num>Examples</th>
                <th data-num>Sent</th>
              </tr>
            </thead>
            <tbody>
              {updates.map((update, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a round that was begun twice has two lines
                <Line key={`${update.run} ${update.round} ${i}`} update={update} />
              ))}
            </tbody>
          </table>
        </section>
      </Card>
    );
  },
);
DeviceHistory.displayName = "DeviceHistory";

const Line = ({ update }: { readonly update: DeviceUpdate }) => {
  const { timing, failure, status } = update;
  return (
    <tr>
      <td className={style.study}>
        <Link href={`/studies/${update.study}`} title={update.studyName}>
          {update.studyName}
        </Link>
      </td>
      <td>
        <AlgorithmChip name={update.algorithm} />
      </td>
      <td data-num>{update.trial}</td>
      <td data-num>{update.round}</td>
      <td className={style.update}>
        <Pill tone={STATUS[status].tone} mark={STATUS[status].mark}>
          {status}
        </Pill>
        {failure !== undefined && (
          <div>
            <Small>
              {failure.cause}
              {failure.next === undefined ? "" : ` ${failure.next}`}
            </Small>
          </div>
        )}
      </td>
      <td data-num>{seconds(timing.computeMs)}</td>
      <td data-num>{seconds(timing.uploadMs)}</td>
      <td data-num>{seconds(timing.waitMs)}</td>
      <td data-num>{update.examples === undefined ? "–" : count(update.examples)}</td>
      <td data-num>{update.bytesUp === 0 ? "–" : bytes(update.bytesUp)}</td>
    </tr>
  );
};

const seconds = (ms: number | undefined): string => (ms === undefined ? "–" : duration(ms / 1000));
