import { memo } from "react";
import { Link } from "wouter";
import type { DeviceUpdate } from "#contract/views.ts";
import { UPDATE_WORDS } from "#renderer/ui/device-words.ts";
import { bytes, count, duration, plural } from "#renderer/ui/format.ts";
import { Card, Empty, Pill, Small, type Tone, tableClass } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import { AlgorithmChip } from "#renderer/ui/words.tsx";
import style from "./device-history.module.css";

const UPDATE_MARKS: Readonly<Record<DeviceUpdate["status"], { tone: Tone; mark: string }>> = {
  folded: { tone: "ok", mark: "✓" },
  refused: { tone: "bad", mark: "✕" },
  failed: { tone: "bad", mark: "✕" },
  late: { tone: "warn", mark: "◔" },
};

/** The device's updates on record, newest first; nothing while they are loading. */
export const DeviceHistory = memo(
  ({ updates, limit }: { readonly updates: readonly DeviceUpdate[] | undefined; readonly limit: number }) => {
    if (updates === undefined) return null;
    if (updates.length === 0) {
      return (
        <Card title="Rounds">
          <Empty title="No rounds yet" text="Each round in which a study uses this device appears here." />
        </Card>
      );
    }
    return (
      <Card
        title="Rounds"
        note={
          updates.length < limit
            ? `${plural(updates.length, "update")}, newest first`
            : `last ${count(limit)} updates, newest first`
        }
      >
        <ScrollBox className={style.history} label="Rounds of the device">
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
                <th data-num>Waiting</th>
                <th data-num>Examples</th>
                <th data-num>Data sent</th>
              </tr>
            </thead>
            <tbody>
              {updates.map((update, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a round that was started twice has two rows
                <UpdateRow key={`${update.run} ${update.round} ${i}`} update={update} />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      </Card>
    );
  },
);
DeviceHistory.displayName = "DeviceHistory";

const UpdateRow = ({ update }: { readonly update: DeviceUpdate }) => {
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
        <Pill tone={UPDATE_MARKS[status].tone} mark={UPDATE_MARKS[status].mark}>
          {UPDATE_WORDS[status]}
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
