import { Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { type ReactNode, useId, useState } from "react";
import { toValue } from "./draft.ts";
import { useDraftStore, useFieldProblem, useSetting } from "./draft-store.ts";
import style from "./new-study.module.css";

/** A group of fields with its heading. */
export const FieldGroup = ({
  title,
  note,
  children,
}: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly children: ReactNode;
}) => {
  const id = useId();
  return (
    <section className={style.group} aria-labelledby={id}>
      <h2 id={id} className={style.groupTitle}>
        {title}
        {note !== undefined && <span className={style.groupNote}>{note}</span>}
      </h2>
      {children}
    </section>
  );
};

export const Fields = ({ children }: { readonly children: ReactNode }) => (
  <div className={style.fields}>{children}</div>
);

/** What is wrong with several settings together. */
export const GroupProblem = ({ path }: { readonly path: string }) => {
  const problem = useFieldProblem(path);
  return problem === undefined ? null : (
    <p className={style.fieldProblem} data-path={path} tabIndex={-1}>
      {problem}
    </p>
  );
};

/** The explanation stands below the field: fields of a row are on one line. */
const ORDER: ("label" | "input" | "description" | "error")[] = ["label", "input", "error", "description"];

export interface FieldProps {
  /** The setting's path in the file. */
  readonly path: string;
  readonly label: string;
  readonly unit?: string;
  /** One sentence, where a newcomer needs it. */
  readonly help?: ReactNode;
  readonly placeholder?: string;
}

const asText = (value: unknown): string =>
  value === undefined || value === null
    ? ""
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);

const labelOf = (label: string, unit: string | undefined): ReactNode =>
  unit === undefined ? (
    label
  ) : (
    <>
      {label} <span className={style.unit}>{unit}</span>
    </>
  );

/** A number. While it is being typed it may be anything; what is wrong stands below it. */
export const NumberField = ({ path, label, unit, help, placeholder }: FieldProps) => {
  const store = useDraftStore();
  const value = useSetting(path);
  const problem = useFieldProblem(path);
  const [typed, setTyped] = useState<string>();
  return (
    <TextInput
      data-path={path}
      label={labelOf(label, unit)}
      description={help}
      inputWrapperOrder={ORDER}
      placeholder={placeholder ?? ""}
      inputMode="decimal"
      autoComplete="off"
      value={typed ?? asText(value)}
      error={problem}
      onChange={(event) => {
        const text = event.currentTarget.value;
        setTyped(text);
        store.set(path, toValue(text));
      }}
      onKeyDown={(event) => {
        const step = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
        // Steps make sense for whole numbers only: a learning rate of 0.02 is not one step from 1.02.
        if (step === 0 || typeof value !== "number" || !Number.isInteger(value) || value + step < 0) return;
        event.preventDefault();
        setTyped(undefined);
        store.set(path, value + step);
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
};

export const TextField = ({ path, label, unit, help, placeholder }: FieldProps) => {
  const store = useDraftStore();
  const value = useSetting(path);
  const problem = useFieldProblem(path);
  return (
    <TextInput
      data-path={path}
      label={labelOf(label, unit)}
      description={help}
      inputWrapperOrder={ORDER}
      placeholder={placeholder ?? ""}
      autoComplete="off"
      spellCheck={false}
      value={asText(value)}
      error={problem}
      onChange={(event) => {
        const text = event.currentTarget.value;
        store.set(path, text === "" ? undefined : text);
      }}
    />
  );
};

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export const ChoiceField = ({
  path,
  label,
  help,
  choices,
  onChoose,
  wide = false,
}: FieldProps & {
  readonly wide?: boolean;
  readonly choices: readonly Choice[];
  /** What is done instead of setting the value. */
  readonly onChoose?: (value: string) => void;
}) => {
  const store = useDraftStore();
  const value = asText(useSetting(path));
  const problem = useFieldProblem(path);
  // What a file has brought stays to be seen, even if it is not on the list.
  const isKnown = choices.some((choice) => choice.value === value);
  return (
    <NativeSelect
      data-path={path}
      label={label}
      description={help}
      inputWrapperOrder={ORDER}
      className={wide ? (style.wide ?? "") : ""}
      value={value}
      error={problem}
      data={isKnown ? [...choices] : [...choices, { value, label: value === "" ? "Choose" : value }]}
      onChange={(event) => {
        const chosen = event.currentTarget.value;
        if (onChoose === undefined) store.set(path, chosen);
        else onChoose(chosen);
      }}
    />
  );
};

export const SwitchField = ({ path, label, help }: FieldProps) => {
  const store = useDraftStore();
  const value = useSetting(path);
  const problem = useFieldProblem(path);
  return (
    <Checkbox
      data-path={path}
      label={label}
      description={help}
      checked={value === true}
      error={problem}
      onChange={(event) => store.set(path, event.currentTarget.checked)}
    />
  );
};
