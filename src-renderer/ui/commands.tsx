import style from "./commands.module.css";
import { CopyButton } from "./copy-button.tsx";

/** Lines as a terminal shows them, with a button that copies them. */
export const Commands = ({
  lines,
  what,
  label,
}: {
  readonly lines: readonly string[];
  /** Names the lines on the button: "the commands". */
  readonly what: string;
  readonly label: string;
}) => (
  <div className={style.commands}>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard could not scroll */}
    <section className={style.terminal} tabIndex={0} aria-label={label}>
      <pre>{lines.join("\n")}</pre>
    </section>
    <CopyButton text={lines.join("\n")} what={what} />
  </div>
);
