import type { BoardFacts } from "#contract/boards.ts";
import style from "./board.module.css";
import { factLines } from "./board-words.ts";

/** What a probe has found, and what is to be minded. */
export const BoardFactsList = ({ facts }: { readonly facts: BoardFacts }) => (
  <div>
    <dl className={style.facts}>
      {factLines(facts).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
    {facts.warnings.length > 0 && (
      <ul className={style.warnings} aria-label="To be minded">
        {facts.warnings.map(({ code, text, next }) => (
          <li key={code}>
            {text} {next}
          </li>
        ))}
      </ul>
    )}
  </div>
);
