import type { ReactNode } from "react";
import { useEffect } from "react";
import style from "./page.module.css";

/** A page: its title (also the window's), one sentence under it, what can be done with it, its cards. */
export const Page = ({
  title,
  subtitle,
  actions,
  children,
}: {
  readonly title: string;
  readonly subtitle?: ReactNode;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}) => {
  useEffect(() => {
    document.title = `${title} · Fedfleet`;
  }, [title]);
  return (
    <div className={style.page}>
      <header className={style.header}>
        <div className={style.heading}>
          {/* The frame moves the focus here when the page changes. */}
          <h1 className={style.title} title={title} tabIndex={-1} data-page-title>
            {title}
          </h1>
          {subtitle !== undefined && <div className={style.subtitle}>{subtitle}</div>}
        </div>
        {actions !== undefined && <div className={style.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
};

export const Card = ({
  title,
  note,
  aside,
  className = "",
  children,
}: {
  readonly title?: string;
  /** Smaller and greyer, behind the title. */
  readonly note?: ReactNode;
  /** At the right end of the title's line. */
  readonly aside?: ReactNode;
  readonly className?: string | undefined;
  readonly children: ReactNode;
}) => (
  <section className={`${style.card} ${className}`} {...(title === undefined ? {} : { "aria-label": title })}>
    {(title !== undefined || aside !== undefined) && (
      <div className={style.cardHead}>
        <h2 className={style.cardTitle}>
          {title}
          {note !== undefined && <span className={style.cardNote}>{note}</span>}
        </h2>
        {aside}
      </div>
    )}
    {children}
  </section>
);

/** For an empty place: says what will be here, and offers what to do about it. */
export const Empty = ({
  title,
  text,
  children,
}: {
  readonly title: string;
  readonly text: ReactNode;
  readonly children?: ReactNode;
}) => (
  <div className={style.empty}>
    <p className={style.emptyTitle}>{title}</p>
    <p className={style.emptyText}>{text}</p>
    {children !== undefined && <div className={style.emptyActions}>{children}</div>}
  </div>
);

/** What went wrong and what to do; `action` is a button that does it. */
export const Problem = ({ text, action }: { readonly text: ReactNode; readonly action?: ReactNode }) => (
  <div className={style.problem} role="alert">
    <span>{text}</span>
    {action}
  </div>
);

export const Warning = ({ text, action }: { readonly text: ReactNode; readonly action?: ReactNode }) => (
  <div className={style.warning} role="status">
    <span>{text}</span>
    {action}
  </div>
);

export type Tone = "ok" | "warn" | "bad" | "accent" | "quiet";

/** A state in a word; the mark before it says the same without colour. */
export const Pill = ({
  tone,
  mark,
  children,
}: {
  readonly tone: Tone;
  readonly mark?: string;
  readonly children: ReactNode;
}) => (
  <span className={style.pill} data-tone={tone}>
    {mark !== undefined && <span aria-hidden>{mark}</span>}
    {children}
  </span>
);

export const Small = ({ children }: { readonly children: ReactNode }) => (
  <span className={style.small}>{children}</span>
);

/** The plain table of the lab; cells with `data-num` are numbers. */
export const tableClass: string = style.table ?? "";
export const scrollClass: string = style.scroll ?? "";
