import type { ReactNode } from "react";
import style from "./fact-list.module.css";

/** A name and its value; what is not known (undefined) has no line. */
export type Fact = readonly [name: string, value: ReactNode];

export const FactList = ({
  facts,
  narrow = false,
}: {
  readonly facts: readonly Fact[];
  /** Stands in a narrow card: the names get less room. */
  readonly narrow?: boolean;
}) => (
  <dl className={narrow ? `${style.facts} ${style.narrow}` : style.facts}>
    {facts.map(
      ([name, value]) =>
        value !== undefined && (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
    )}
  </dl>
);
