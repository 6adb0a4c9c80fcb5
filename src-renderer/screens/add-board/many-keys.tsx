import { Button, Checkbox } from "@mantine/core";
import { useState } from "react";
import { fingerprintCommand } from "#renderer/screens/board/host-key-check.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Buttons, formClass, monoClass, noteClass } from "#renderer/ui/form.tsx";
import { Problem, Small } from "#renderer/ui/page.tsx";
import { type UnknownKey, unknownKeys } from "./many-boards.ts";
import style from "./many-keys.module.css";
import type { ManyBoards } from "./use-many-boards.ts";

/** All host keys that the lab does not know yet, to be compared and trusted together. */
export const ManyKeys = ({ many: { rows, reach, leaveOut } }: { readonly many: ManyBoards }) => {
  const { client } = useStates();
  const keys = unknownKeys(rows);
  const [unticked, setUnticked] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const wanted = keys.filter(({ id }) => !unticked.has(id));
  const trust = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      for (const { host, port, key } of wanted) {
        await client.boards.trust({ host, port, fingerprint: key.fingerprint });
      }
      for (const key of keys.filter(({ id }) => unticked.has(id))) leaveOut(key);
      const lines = new Set(wanted.flatMap((key) => key.lines));
      await reach(rows.filter(({ line }) => lines.has(line)));
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  const tick = (id: string, yes: boolean) =>
    setUnticked((before) => {
      const next = new Set(before);
      if (yes) next.delete(id);
      else next.add(id);
      return next;
    });
  const commands = [...new Set(keys.map(({ key }) => fingerprintCommand(key.type)))];
  return (
    <div className={formClass}>
      <h3 tabIndex={-1} data-stage-focus>
        {keys.length === 1 ? "Does this new key match its board?" : `Do these ${keys.length} new keys match?`}
      </h3>
      <p className={noteClass}>
        Run <code className={monoClass}>{commands.join(" or ")}</code> on each board and compare. Boards that
        you untick are left out.
      </p>
      <ul className={style.keys}>
        {keys.map((key) => (
          <li key={key.id}>
            <Checkbox
              checked={!unticked.has(key.id)}
              onChange={(event) => tick(key.id, event.currentTarget.checked)}
              label={<KeyLabel of={key} />}
            />
          </li>
        ))}
      </ul>
      {problem !== undefined && <Problem text={problem} />}
      <Buttons>
        <Button variant="filled" onClick={trust} loading={busy}>
          {trustLabel(wanted.length)}
        </Button>
      </Buttons>
    </div>
  );
};

const trustLabel = (n: number): string => {
  if (n === 0) return "Leave all out";
  return n === 1 ? "It matches: trust it" : `They match: trust these ${n}`;
};

const KeyLabel = ({ of: { host, port, isJump, names, key } }: { readonly of: UnknownKey }) => (
  <>
    <b>{isJump ? `${host}, jump host` : names.join(", ")}</b>{" "}
    <Small>
      {isJump ? `for ${names.join(", ")}` : `${host}:${port}`} · {key.type}
    </Small>
    <br />
    <span className={monoClass}>{key.fingerprint}</span>
  </>
);
