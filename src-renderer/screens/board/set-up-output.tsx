import { useEffect, useRef } from "react";
import style from "./set-up.module.css";

/** A step's last lines; stays at the newest unless the person scrolls up. */
export const SetUpOutput = ({ lines }: { readonly lines: readonly string[] }) => {
  const box = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are the reason
  useEffect(() => {
    if (box.current !== null && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  if (lines.length === 0) return null;
  return (
    <section
      ref={box}
      className={style.output}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard could not scroll
      tabIndex={0}
      aria-label="Output"
      onScroll={(event) => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        atEnd.current = scrollHeight - clientHeight - scrollTop < 24;
      }}
    >
      <pre>{lines.join("\n")}</pre>
    </section>
  );
};
