import { useEffect, useState } from "react";
import type { Preparation } from "#contract/views.ts";
import { heatFacts, heatSentence } from "#renderer/charts/heat-summary.ts";
import { count, estimate, plural } from "#renderer/ui/format.ts";
import style from "./new-study.module.css";

/** Nobody wants to be told at every key. */
const QUIET_MS = 1500;

const told = ({ preview, checks, problems, cost }: Preparation): string => {
  // What a change of settings mends is among the problems already.
  const others = checks.filter(({ state, mend }) => state === "missing" && mend?.do !== "set");
  const missing = others.length + problems.length;
  return [
    missing === 0 ? "Ready to start." : `${plural(missing, "thing")} to mend.`,
    ...(preview === undefined
      ? []
      : [heatSentence(heatFacts(preview.histogram, preview.classes.length), count)]),
    ...(cost?.seconds === undefined ? [] : [`About ${estimate(cost.seconds)}.`]),
  ].join(" ");
};

/** The right half of the page in a sentence, for whoever does not see it change. */
export const Announced = ({ answer }: { readonly answer: Preparation | undefined }) => {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (answer === undefined) return;
    const timer = setTimeout(() => setSaid(told(answer)), QUIET_MS);
    return () => clearTimeout(timer);
  }, [answer]);
  return (
    <div className={style.hidden} role="status">
      {said}
    </div>
  );
};
