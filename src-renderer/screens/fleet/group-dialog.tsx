import { Button, NumberInput, TextInput } from "@mantine/core";
import { type FocusEvent, type FormEvent, useRef, useState } from "react";
import type { VirtualGroup } from "#contract/fleet.ts";
import type { FleetView } from "#contract/views.ts";
import { messageOf } from "#renderer/state/states.ts";
import { useLab, useStates } from "#renderer/state/use-states.ts";
import { Dialog, DialogActions } from "#renderer/ui/dialog.tsx";
import { plural } from "#renderer/ui/format.ts";
import { Problem } from "#renderer/ui/page.tsx";
import style from "./fleet.module.css";
import {
  costOf,
  errorsOf,
  FRESH,
  formOf,
  type GroupErrors,
  type GroupField,
  type GroupForm,
  groupOf,
  knownOf,
  previewOf,
  suggestedName,
} from "./group-form.ts";
import { groupId } from "./groups.tsx";

interface GroupDialogProps {
  readonly opened: boolean;
  /** The group to change; undefined: a new one. */
  readonly group: VirtualGroup | undefined;
  readonly groups: readonly VirtualGroup[];
  readonly devices: FleetView["devices"];
  readonly onClose: () => void;
}

export const GroupDialog = ({ opened, group, groups, devices, onClose }: GroupDialogProps) => (
  <Dialog
    opened={opened}
    onClose={onClose}
    returnTo={group === undefined ? "add-device" : groupId(group.name)}
    title={group === undefined ? "Add virtual devices" : `Change ${group.name}`}
    size="lg"
  >
    <Fields group={group} groups={groups} devices={devices} onClose={onClose} />
  </Dialog>
);

const Fields = ({ group, groups, devices, onClose }: Omit<GroupDialogProps, "opened">) => {
  const { client, setFleet } = useStates();
  const taken = groups.map(({ name }) => name).filter((name) => name !== group?.name);
  const [form, setForm] = useState<GroupForm>(() =>
    group === undefined ? { ...FRESH, name: suggestedName(FRESH, taken) } : formOf(group),
  );
  const [named, setNamed] = useState(group !== undefined);
  const [left, setLeft] = useState<Partial<Record<GroupField, true>>>({});
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const fields = useRef<HTMLFormElement>(null);
  const errors = errorsOf(form, taken);
  const shown = (field: GroupField): GroupErrors[GroupField] => (left[field] ? errors[field] : undefined);

  const change = (patch: Partial<GroupForm>) => {
    setProblem(undefined);
    setForm((before) => {
      const next = { ...before, ...patch };
      // A suggestion follows the profile until somebody has a better name.
      return named || patch.name !== undefined ? next : { ...next, name: suggestedName(next, taken) };
    });
  };
  const leave = (field: GroupField) => () => setLeft((before) => ({ ...before, [field]: true }));

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (Object.keys(errors).length > 0) {
      setLeft({ count: true, name: true, slowness: true, dropOut: true, crash: true });
      const first = (["count", "name", "slowness", "dropOut", "crash"] as const).find((f) => errors[f]);
      fields.current?.querySelector<HTMLInputElement>(`[name="${first}"]`)?.focus();
      return;
    }
    setBusy(true);
    try {
      const wanted = groupOf(form);
      const view: FleetView =
        group === undefined
          ? await client.fleet.addGroup(wanted)
          : await client.fleet.changeGroup({ group: group.name, change: wanted });
      setFleet(view);
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };

  const number = (field: Exclude<GroupField, "name">, max: number) => ({
    name: field,
    value: form[field],
    onChange: (value: number | string) => change({ [field]: value }),
    onBlur: leave(field),
    onFocus: (event: FocusEvent<HTMLInputElement>) => event.currentTarget.select(),
    error: shown(field),
    max,
    hideControls: true,
  });
  const preview = previewOf(form);
  const cores = useLab((state) => state.view?.cores);
  const hints = [knownOf(form, devices), costOf(form, cores)].filter((hint) => hint !== undefined);
  return (
    <form ref={fields} className={style.form} onSubmit={submit} noValidate>
      <NumberInput
        {...number("count", 10_000)}
        label="Devices"
        description="How many; each is a client of its own, with its own data."
        allowDecimal={false}
        min={1}
        data-autofocus
      />
      <TextInput
        name="name"
        label="Name"
        description="What they are called, each with its number."
        value={form.name}
        onChange={(event) => {
          setNamed(true);
          change({ name: event.currentTarget.value });
        }}
        onBlur={leave("name")}
        error={shown("name")}
        maxLength={60}
        spellCheck={false}
        autoComplete="off"
      />
      <NumberInput
        {...number("slowness", 1000)}
        label="Times slower"
        description="1 trains at this computer's speed, 10 takes ten times as long."
        min={1}
      />
      <div className={style.two}>
        <NumberInput
          {...number("dropOut", 100)}
          label="Drop-out per round"
          description="How often it leaves instead of answering; it joins again for the next round."
          min={0}
          suffix=" %"
        />
        <NumberInput
          {...number("crash", 100)}
          label="Crash per round"
          description="How often its whole process dies; it is started anew."
          min={0}
          suffix=" %"
        />
      </div>
      <p className={style.preview} aria-live="polite">
        {preview === undefined ? "\u00a0" : preview}
        {hints.map((hint) => (
          <span key={hint}>{hint}</span>
        ))}
      </p>
      {problem !== undefined && <Problem text={problem} />}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="filled" loading={busy}>
          {group !== undefined
            ? "Change"
            : preview === undefined
              ? "Add"
              : `Add ${plural(Number(form.count), "device")}`}
        </Button>
      </DialogActions>
    </form>
  );
};
