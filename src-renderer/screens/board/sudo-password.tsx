import { PasswordInput } from "@mantine/core";
import type { Ref } from "react";

/** The password for sudo on a board, or on several. The lab uses it once and does not keep it. */
export const SudoPassword = ({
  description,
  value,
  onChange,
  error,
  className = "",
  ref,
}: {
  readonly description: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: string | undefined;
  readonly className?: string | undefined;
  readonly ref?: Ref<HTMLInputElement>;
}) => (
  <PasswordInput
    {...(ref === undefined ? {} : { ref })}
    className={className}
    label="Password for sudo"
    description={description}
    value={value}
    onChange={(event) => onChange(event.currentTarget.value)}
    error={error}
    autoComplete="off"
  />
);
