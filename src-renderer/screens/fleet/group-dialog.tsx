import { Button, NumberInput, TextInput } from "@mantine/core";
import { type FocusEvent, type FormEvent, useRef } from "react";
import type { VirtualGroup } from "#contract/fleet.ts";
import type { FleetView } from "#contract/views.ts";
import { useLab } from "#renderer/state/use-states.ts";
import { Dialog, DialogActions } from "#renderer/ui/dialog.tsx";
import { formClass, twoColumnsClass } from "#renderer/ui/form.tsx";
import { plural } from "#renderer/ui/format.ts";
import { Problem } from "#renderer/ui/page.tsx";
import { ADD_DEVICE_ID } from "./add-device-menu.tsx";
import style from "./group-dialog.module.css";
import { costOf, type GroupField, knownOf, namesPreview } from "./group-form.ts";
import { groupElementId } from "./groups.tsx";
import { useGroupForm } from "./use-group-form.ts";

interface GroupDialogProps {
  readonly opened: boolean;
  /** The group to edit; undefined: a new one. */
  readonly group: VirtualGroup | undefined;
  readonly groups: readonly VirtualGroup[];
  readonly devices: FleetView["devices"];
  readonly onClose: () => void;
}

export const GroupDialog = ({ opened, group, groups, devices, onClose }: GroupDialogProps) => (
  <Dialog
    opened={opened}
    onClose={onClose}
    returnTo={group === undefined ? ADD_DEVICE_ID : groupElementId(group.name)}
    title={group === undefined ? "Add virtual devices" : `Edit ${group.name}`}
    size="lg"
  >
    <GroupFields group={group} groups={groups} devices={devices} onClose={onClose} />
  </Dialog>
);

const GroupFields = ({ group, groups, devices, onClose }: Omit<GroupDialogProps, "opened">) => {
  const { form, change, leave, shownError, submit, busy, problem } = useGroupForm(group, groups, onClose);
  const fields = useRef<HTMLFormElement>(null);
  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    const wrong = await submit();
    if (wrong !== undefined) fields.current?.querySelector<HTMLInputElement>(`[name="${wrong}"]`)?.focus();
  };
  const number = (field: Exclude<GroupField, "name">, max: number) => ({
    name: field,
    value: form[field],
    onChange: (value: number | string) => change({ [field]: value }),
    onBlur: () => leave(field),
    onFocus: (event: FocusEvent<HTMLInputElement>) => event.currentTarget.select(),
    error: shownError(field),
    max,
    hideControls: true,
  });
  const preview = namesPreview(form);
  const cores = useLab((state) => state.view?.cores);
  const hints = [knownOf(form, devices), costOf(form, cores)].filter((hint) => hint !== undefined);
  return (
    <form ref={fields} className={formClass} onSubmit={onSubmit} noValidate>
      <NumberInput
        {...number("count", 10_000)}
        label="Devices"
        description="Number of devices. Each is a separate client with its own data."
        allowDecimal={false}
        min={1}
        data-autofocus
      />
      <TextInput
        name="name"
        label="Name"
        description="The devices get this name and a number."
        value={form.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        onBlur={() => leave("name")}
        error={shownError("name")}
        maxLength={60}
        spellCheck={false}
        autoComplete="off"
      />
      <NumberInput
        {...number("slowness", 1000)}
        label="Slowdown"
        description="1 trains at this computer's speed; 10 takes ten times as long."
        min={1}
      />
      <div className={twoColumnsClass}>
        <NumberInput
          {...number("dropOut", 100)}
          label="Drop-out per round"
          description="Chance that a device leaves instead of answering. It rejoins for the next round."
          min={0}
          suffix=" %"
        />
        <NumberInput
          {...number("crash", 100)}
          label="Crash per round"
          description="Chance that a device's process dies. The lab restarts it."
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
            ? "Save"
            : preview === undefined
              ? "Add"
              : `Add ${plural(Number(form.count), "device")}`}
        </Button>
      </DialogActions>
    </form>
  );
};
