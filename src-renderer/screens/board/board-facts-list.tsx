import type { BoardFacts } from "#contract/boards.ts";
import { FactList } from "#renderer/ui/fact-list.tsx";
import style from "./board-facts-list.module.css";
import { factLines } from "./fact-lines.ts";

/** What the lab found on a board, and its warnings. */
export const BoardFactsList = ({ facts }: { readonly facts: BoardFacts }) => (
  <div>
    <FactList facts={factLines(facts)} narrow />
    {facts.warnings.length > 0 && (
      <ul className={style.warnings} aria-label="Warnings">
        {facts.warnings.map(({ code, text, next }) => (
          <li key={code}>
            {text} {next}
          </li>
        ))}
      </ul>
    )}
  </div>
);
