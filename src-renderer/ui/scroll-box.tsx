import type { ReactNode } from "react";
import { scrollClass } from "./page.tsx";

/** Holds what may be longer or wider than its place; the keyboard can scroll it, too. */
export const ScrollBox = ({
  label,
  className = "",
  children,
}: {
  readonly label: string;
  readonly className?: string | undefined;
  readonly children: ReactNode;
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard could not scroll
  <section className={`${scrollClass} ${className}`} tabIndex={0} aria-label={label}>
    {children}
  </section>
);
