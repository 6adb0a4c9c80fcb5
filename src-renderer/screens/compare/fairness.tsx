import { shortName } from "#contract/short-name.ts";
import type { Comparison } from "#contract/views.ts";
import { Card, tableClass } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import style from "./compare.module.css";
import { verdictOf } from "./figures.ts";

const VERDICTS = {
  alone: { title: "Only one row so far", note: undefined },
  fair: { title: "Fair comparison", note: undefined },
  incomplete: { title: "Incomplete comparison", note: "some results are missing" },
  unfair: { title: "Not a fair comparison", note: undefined },
} as const;

/** Is the algorithm all that differs? Check by check. */
export const Fairness = ({ comparison }: { readonly comparison: Comparison }) => {
  const { fairness, rows } = comparison;
  const whole = rows.map(({ label }) => label).filter((label) => shortName(label) !== label);
  const { title, note } = VERDICTS[verdictOf(comparison)];
  return (
    <Card title={title} note={note} className={style.verdict}>
      {fairness.length === 0 ? (
        <p>Choose runs of another algorithm, or of another study, to compare with.</p>
      ) : (
        <ScrollBox label="Fairness checks" className={style.checksBox}>
          <ul className={style.checks}>
            {fairness
              .toSorted((a, b) => Number(a.ok) - Number(b.ok))
              .map(({ about, ok, text }) => (
                <li key={about} data-ok={ok}>
                  <span className={style.mark} role="img" aria-label={ok ? "Same:" : "Differs:"}>
                    {ok ? "✓" : "!"}
                  </span>
                  <span title={whole.length === 0 ? undefined : whole.join("\n")}>{text}</span>
                </li>
              ))}
          </ul>
        </ScrollBox>
      )}
    </Card>
  );
};

/** The settings that are not the same in all rows. */
export const Differences = ({ comparison: { rows, differences } }: { readonly comparison: Comparison }) =>
  rows.length < 2 ? null : (
    <Card
      title="Settings that differ"
      {...(differences.length > 0
        ? { note: "named as in the study file; – where a row does not use the setting" }
        : {})}
    >
      {differences.length === 0 ? (
        <p>None. Every setting that these rows share is the same.</p>
      ) : (
        <ScrollBox label="Settings that differ, by row" className={style.settings}>
          <table className={tableClass}>
            <thead>
              <tr>
                <th scope="col">Setting</th>
                {rows.map(({ key, label }) => (
                  <th scope="col" key={key} title={label}>
                    {shortName(label)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {differences.map(({ path, values }) => (
                <tr key={path}>
                  <th scope="row" className={style.path}>
                    {path}
                  </th>
                  {rows.map(({ key }, i) => (
                    <td key={key}>{values[i]}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </Card>
  );
