import { ActionIcon, Button, NativeSelect } from "@mantine/core";
import type { VirtualGroup } from "#contract/fleet.ts";
import { useFleet } from "#renderer/state/use-states.ts";
import { plural } from "#renderer/ui/format.ts";
import { Boards } from "./boards.tsx";
import { useDraftStore, useFieldProblem, useSetting } from "./draft-store.ts";
import { FieldGroup, Fields, NumberField, TextField } from "./fields.tsx";
import style from "./new-study.module.css";

type Mode = "alike" | "groups" | "none";

const asGroups = (virtual: unknown): readonly Partial<VirtualGroup>[] =>
  Array.isArray(virtual)
    ? virtual
    : typeof virtual === "object" && virtual !== null
      ? [virtual]
      : typeof virtual === "number"
        ? [{ count: virtual }]
        : [];

const sizeOf = (groups: readonly Partial<VirtualGroup>[]): number =>
  groups.reduce((sum, { count }) => sum + (typeof count === "number" ? count : 0), 0);

/** A group as a study writes it, without defaults. */
const written = ({ count, name, slowness, dropOut, crash }: VirtualGroup): Partial<VirtualGroup> => ({
  count,
  name,
  ...(slowness === 1 ? {} : { slowness }),
  ...(dropOut === 0 ? {} : { dropOut }),
  ...(crash === 0 ? {} : { crash }),
});

/** Which devices take part. */
export const DevicesGroup = () => {
  const store = useDraftStore();
  const virtual = useSetting("fleet.virtual");
  const problem = useFieldProblem("fleet");
  const mode: Mode = virtual === undefined ? "none" : typeof virtual === "object" ? "groups" : "alike";
  const groups = asGroups(virtual);
  const choose = (next: Mode) => {
    if (next === mode) return;
    if (next === "none") store.patch({ "fleet.virtual": undefined });
    else if (next === "alike") store.set("fleet.virtual", Math.max(1, sizeOf(groups)));
    else store.set("fleet.virtual", [{ count: Math.max(1, sizeOf(groups)), name: "virtual" }]);
  };
  return (
    <FieldGroup title="Devices" note="virtual devices on this computer, boards over SSH, or both">
      <Fields>
        <NativeSelect
          label="Virtual devices"
          value={mode}
          onChange={(event) => choose(event.currentTarget.value as Mode)}
          data={[
            { value: "alike", label: "Identical devices" },
            { value: "groups", label: "Groups: fast, slow, unreliable" },
            { value: "none", label: "None" },
          ]}
          {...(problem === undefined ? {} : { error: problem })}
          data-path="fleet"
        />
        {mode === "alike" && <NumberField path="fleet.virtual" label="Number of devices" />}
        <NumberField
          path="fleet.external"
          label="External Flower clients"
          placeholder="none"
          help="Clients on other computers that connect over Flower's protocol, with their own data."
        />
      </Fields>
      {mode === "groups" && <Groups groups={groups} isList={Array.isArray(virtual)} />}
      <Boards />
    </FieldGroup>
  );
};

const Groups = ({
  groups,
  isList,
}: {
  readonly groups: readonly Partial<VirtualGroup>[];
  readonly isList: boolean;
}) => {
  const store = useDraftStore();
  const fleet = useFleet((state) => state.view?.groups);
  const problem = useFieldProblem("fleet.virtual");
  const put = (next: readonly Partial<VirtualGroup>[]) => store.set("fleet.virtual", next);
  const offered =
    fleet?.filter(({ name }) => groups.every((group) => (group.name ?? "virtual") !== name)) ?? [];
  const at = (i: number) => (isList ? `fleet.virtual[${i}]` : "fleet.virtual");
  return (
    <div>
      {groups.map((group, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a group is known by its place; its name is being typed
        <fieldset key={i} className={style.deviceGroup}>
          <legend className={style.hidden}>{`Group ${i + 1}`}</legend>
          <TextField path={`${at(i)}.name`} label="Name" />
          <NumberField path={`${at(i)}.count`} label="Devices" />
          <NumberField path={`${at(i)}.slowness`} label="Slowdown" />
          <NumberField path={`${at(i)}.dropOut`} label="Drop-out" />
          <NumberField path={`${at(i)}.crash`} label="Crash" />
          <ActionIcon
            variant="subtle"
            color="gray"
            className={style.removeGroup ?? ""}
            aria-label={`Remove group ${group.name ?? i + 1}`}
            disabled={groups.length === 1}
            onClick={() => put(groups.filter((_, other) => other !== i))}
          >
            ✕
          </ActionIcon>
        </fieldset>
      ))}
      {problem !== undefined && <p className={style.fieldProblem}>{problem}</p>}
      <p className={style.help}>
        Slowdown: how many times longer training takes. Drop-out and crash: the probability per round, 0 to 1,
        that a device disconnects instead of answering, or that its process crashes. It reconnects afterwards.
      </p>
      <div className={style.buttons}>
        {offered.map((group) => (
          <Button key={group.name} size="xs" onClick={() => put([...groups, written(group)])}>
            Add {group.name} ({plural(group.count, "device")}) from the fleet
          </Button>
        ))}
        {fleet !== undefined && fleet.length > 0 && (
          <Button size="xs" onClick={() => put(fleet.map(written))}>
            Use the whole fleet ({plural(sizeOf(fleet), "device")})
          </Button>
        )}
        <Button size="xs" onClick={() => put([...groups, { count: 1, name: freeName(groups) }])}>
          Add a group
        </Button>
      </div>
    </div>
  );
};

const freeName = (groups: readonly Partial<VirtualGroup>[]): string => {
  const taken = groups.map(({ name }) => name ?? "virtual");
  for (let n = groups.length + 1; ; n++) if (!taken.includes(`group-${n}`)) return `group-${n}`;
};
