import { Autocomplete, Button } from "@mantine/core";
import { useEffect, useState } from "react";
import type { BoardTarget, SshEntry } from "#contract/boards.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Buttons, formClass, noteClass } from "#renderer/ui/form.tsx";
import { entryText, readTarget } from "./board-target.ts";

/** Entries of the user's ~/.ssh/config; none if there is no such file. */
const useSshEntries = (): readonly SshEntry[] => {
  const { client } = useStates();
  const [entries, setEntries] = useState<readonly SshEntry[]>([]);
  useEffect(() => {
    let left = false;
    client.boards.sshEntries().then(
      (found) => left || setEntries(found),
      () => {},
    );
    return () => {
      left = true;
    };
  }, [client]);
  return entries;
};

/** A board's address: typed, or an entry of ~/.ssh/config. */
export const AddressForm = ({
  typed,
  onType,
  onTarget,
  onCancel,
  verb = "Continue",
  busy = false,
}: {
  readonly typed: string;
  readonly onType: (text: string) => void;
  /** `configured`: the address is an entry of ~/.ssh/config. */
  readonly onTarget: (target: BoardTarget, configured: boolean) => void;
  readonly onCancel: () => void;
  readonly verb?: string;
  readonly busy?: boolean;
}) => {
  const entries = useSshEntries();
  const [problem, setProblem] = useState<string>();
  const byAlias = new Map(entries.map((entry) => [entry.alias, entry]));
  const submit = () => {
    const read = readTarget(typed);
    if (read.ok) onTarget(read.target, byAlias.has(read.target.host));
    else setProblem(read.problem);
  };
  return (
    <form
      className={formClass}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      noValidate
    >
      <Autocomplete
        label="Address"
        description={
          entries.length === 0
            ? "user@host or user@host:port, as for ssh."
            : "user@host or user@host:port, as for ssh, or a name from your ~/.ssh/config."
        }
        placeholder="pi@192.168.1.7"
        data={entries.map(({ alias }) => alias)}
        value={typed}
        onChange={(text) => {
          onType(text);
          setProblem(undefined);
        }}
        renderOption={({ option }) => {
          const entry = byAlias.get(option.value);
          return (
            <span>
              {option.value}
              {entry !== undefined && <span className={noteClass}> · {entryText(entry)}</span>}
            </span>
          );
        }}
        error={problem}
        spellCheck={false}
        autoCapitalize="none"
        maxDropdownHeight={260}
        limit={40}
        data-stage-focus
        data-autofocus
      />
      <p className={noteClass}>
        The board needs SSH. On Raspberry Pi OS, turn it on in raspi-config under Interface Options; Jetsons
        have it on by default. The lab does everything else.
      </p>
      <Buttons>
        <Button type="submit" variant="filled" loading={busy}>
          {verb}
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </Buttons>
    </form>
  );
};
