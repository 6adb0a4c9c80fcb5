import { useEffect, useState } from "react";
import type { Preparation } from "#contract/views.ts";
import { heatFacts, heatSentence } from "#renderer/charts/heat-summary.ts";
import { count, estimate, plural } from "#renderer/ui/format.ts";
import { useLacking } from "./lacking.ts";
import style from "./new-study.module.css";

/** A screen reader should not speak at every keystroke. */
const QUIET_MS = 1500;

const sayingOf = ({ preview, cost }: Preparation, missing: number): string =>
  [
    missing === 0 ? "Ready to start." : `${plural(missing, "problem")} to fix.`,
    ...(preview === undefined
      ? []
      : [heatSentence(heatFacts(preview.histogram, preview.classes.length), count)]),
    ...(cost?.seconds === undefined ? [] : [`About ${estimate(cost.seconds)}.`]),
  ].join(" ");

/** The right half of the page in a sentence, for screen readers; empty until the lab has checked this draft. */
export const Announced = ({ answer }: { readonly answer: Preparation | undefined }) => {
  const missing = useLacking(answer).length;
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (answer === undefined) {
      setSaid("");
      return;
    }
    const timer = setTimeout(() => setSaid(sayingOf(answer, missing)), QUIET_MS);
    return () => clearTimeout(timer);
  }, [answer, missing]);
  return (
    <div className={style.hidden} role="status">
      {said}
    </div>
  );
};
