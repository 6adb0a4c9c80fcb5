import type { ReactNode } from "react";
import style from "./disclosure.module.css";

/** Details that most people do not need, one click away. */
export const Disclosure = ({
  summary,
  open = false,
  children,
}: {
  readonly summary: ReactNode;
  readonly open?: boolean;
  readonly children: ReactNode;
}) => (
  <details className={style.disclosure} open={open}>
    <summary>{summary}</summary>
    {children}
  </details>
);
