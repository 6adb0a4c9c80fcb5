import { type ReactNode, useEffect, useRef } from "react";
import style from "./stage-box.module.css";

/** Holds one step of a dialog. When `step` changes, the focus moves to what the new step marks with data-stage-focus. */
export const StageBox = ({
  step,
  className = "",
  children,
}: {
  readonly step: string;
  readonly className?: string | undefined;
  readonly children: ReactNode;
}) => {
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new step is the reason
  useEffect(() => {
    const marked = box.current?.querySelector<HTMLElement>("[data-stage-focus]");
    // Mantine puts the mark of a composed field on the frame around its input
    const target = marked?.matches("input, button, textarea, h3")
      ? marked
      : marked?.querySelector<HTMLElement>("input, textarea");
    (target ?? box.current)?.focus();
  }, [step]);
  return (
    <div ref={box} className={`${style.box} ${className}`} tabIndex={-1}>
      {children}
    </div>
  );
};
