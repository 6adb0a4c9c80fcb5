import type { HostKey } from "#contract/boards.ts";
import { CopyButton } from "#renderer/ui/copy-button.tsx";
import { noteClass } from "#renderer/ui/form.tsx";
import style from "./fingerprint.module.css";

/** A host key's fingerprint, large enough to be compared. */
export const Fingerprint = ({
  fingerprint,
  type,
  title,
}: HostKey & {
  /** Whose or which key it is: "Known key". */
  readonly title: string;
}) => (
  <div className={style.fingerprint}>
    <span className={noteClass}>
      {title} · {type}
    </span>
    <b>{fingerprint}</b>
    <CopyButton text={fingerprint} what={`the fingerprint (${title})`} />
  </div>
);
