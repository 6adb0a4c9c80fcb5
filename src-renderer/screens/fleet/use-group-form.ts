import { useState } from "react";
import type { VirtualGroup } from "#contract/fleet.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import {
  errorsOf,
  FRESH,
  formOf,
  GROUP_FIELDS,
  type GroupErrors,
  type GroupField,
  type GroupForm,
  groupOf,
  suggestedName,
} from "./group-form.ts";

const ALL_LEFT = Object.fromEntries(GROUP_FIELDS.map((field) => [field, true]));

/** The form of a group of virtual devices. @param group the group to edit; undefined: a new one */
export const useGroupForm = (
  group: VirtualGroup | undefined,
  groups: readonly VirtualGroup[],
  onDone: () => void,
) => {
  const { client, setFleet } = useStates();
  const taken = groups.map(({ name }) => name).filter((name) => name !== group?.name);
  const [form, setForm] = useState<GroupForm>(() =>
    group === undefined ? { ...FRESH, name: suggestedName(FRESH, taken) } : formOf(group),
  );
  const [isNamed, setIsNamed] = useState(group !== undefined);
  const [left, setLeft] = useState<Partial<Record<GroupField, true>>>({});
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const errors = errorsOf(form, taken);

  const change = (patch: Partial<GroupForm>) => {
    setProblem(undefined);
    const named = isNamed || patch.name !== undefined;
    setIsNamed(named);
    setForm((before) => {
      const next = { ...before, ...patch };
      // The suggested name follows the profile until the person types one.
      return named ? next : { ...next, name: suggestedName(next, taken) };
    });
  };
  /** @returns the first field with an error; then nothing was sent */
  const submit = async (): Promise<GroupField | undefined> => {
    const wrong = GROUP_FIELDS.find((field) => errors[field] !== undefined);
    if (wrong !== undefined) {
      setLeft(ALL_LEFT);
      return wrong;
    }
    setBusy(true);
    try {
      const wanted = groupOf(form);
      setFleet(
        group === undefined
          ? await client.fleet.addGroup(wanted)
          : await client.fleet.changeGroup({ group: group.name, change: wanted }),
      );
      onDone();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
    return undefined;
  };
  return {
    form,
    change,
    /** The person has left the field: from now on its error is shown. */
    leave: (field: GroupField) => setLeft((before) => ({ ...before, [field]: true })),
    shownError: (field: GroupField): GroupErrors[GroupField] => (left[field] ? errors[field] : undefined),
    submit,
    busy,
    problem,
  };
};
