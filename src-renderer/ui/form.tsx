import type { ReactNode } from "react";
import style from "./form.module.css";

/** Fields below one another. */
export const formClass: string = style.form ?? "";
/** Two fields side by side whose labels and inputs line up. */
export const twoColumnsClass: string = style.two ?? "";
/** A hint beside or below a field. */
export const noteClass: string = style.note ?? "";
/** Paths, fingerprints and other text that is compared letter by letter. */
export const monoClass: string = style.mono ?? "";
export const badClass: string = style.bad ?? "";
/** A button that looks like a link, where a row has no room for more. */
export const linkButtonClass: string = style.linkButton ?? "";

/** Buttons in a row, with a note between them if need be. */
export const Buttons = ({ children }: { readonly children: ReactNode }) => (
  <div className={style.buttons}>{children}</div>
);
