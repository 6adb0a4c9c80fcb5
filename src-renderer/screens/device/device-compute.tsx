import { useMemo } from "react";
import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import type { DeviceUpdate } from "#contract/views.ts";
import { lookOf } from "#renderer/charts/colours.ts";
import { type ComputeBar, ComputeChart } from "#renderer/charts/compute-chart.tsx";
import { computeSecondsOf, UPDATE_WORDS } from "#renderer/ui/device-words.ts";
import { duration, plural } from "#renderer/ui/format.ts";
import { Card, Empty } from "#renderer/ui/page.tsx";
import style from "./device-compute.module.css";

/** How long the device computed in each round; undefined while its rounds are loading. */
export const DeviceCompute = ({ updates }: { readonly updates: readonly DeviceUpdate[] | undefined }) => {
  const bars = useMemo(() => barsOf(updates ?? []), [updates]);
  return (
    <Card
      title="Compute time"
      note={updates === undefined ? "per round" : `last ${plural(bars.length, "round")}, newest on the right`}
    >
      {updates === undefined ? (
        <Empty title="Loading" text="Reading the device's rounds." />
      ) : (
        <>
          <ComputeChart title="Compute time per round" bars={bars} />
          <BarsKey bars={bars} />
        </>
      )}
    </Card>
  );
};

const BarsKey = ({ bars }: { readonly bars: readonly ComputeBar[] }) => (
  <p className={style.key}>
    {[...new Set(bars.map(({ algorithm }) => algorithm))].map((algorithm) => (
      <span key={algorithm}>
        <svg viewBox="0 0 10 10" aria-hidden="true">
          <rect width="10" height="10" rx="3" fill={lookOf(algorithm).colour} />
        </svg>
        {titleOfAlgorithm(algorithm)}
      </span>
    ))}
    {bars.some(({ failed }) => failed) && (
      <span>
        <svg viewBox="0 0 10 10" aria-hidden="true">
          <rect y="6" width="10" height="4" fill="var(--bad)" />
        </svg>
        update not aggregated
      </span>
    )}
  </p>
);

/** More bars than this would be thinner than a pixel. */
const MOST_BARS = 120;

const barsOf = (updates: readonly DeviceUpdate[]): readonly ComputeBar[] =>
  updates
    .slice(0, MOST_BARS)
    .toReversed()
    .map((update, i) => {
      const seconds = computeSecondsOf(update);
      const failed = update.status !== "folded";
      const end = failed
        ? UPDATE_WORDS[update.status]
        : seconds === undefined
          ? "time unknown"
          : duration(seconds);
      return {
        key: `${update.run} ${update.round} ${i}`,
        algorithm: update.algorithm,
        seconds,
        failed,
        text: `${update.studyName}, ${titleOfAlgorithm(update.algorithm)}, trial ${update.trial}, round ${update.round}: ${end}`,
      };
    });
