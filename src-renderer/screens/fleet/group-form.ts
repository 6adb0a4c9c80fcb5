import type { VirtualGroup } from "#contract/fleet.ts";
import type { DeviceView } from "#contract/views.ts";
import { count as countText, plural } from "#renderer/ui/format.ts";

/** The fields of the form; an empty number field holds "". */
export interface GroupForm {
  readonly count: number | string;
  readonly name: string;
  readonly slowness: number | string;
  /** Per cent. */
  readonly dropOut: number | string;
  readonly crash: number | string;
}

export type GroupField = keyof GroupForm;
/** In the order of the form. */
export const GROUP_FIELDS: readonly GroupField[] = ["count", "name", "slowness", "dropOut", "crash"];
export type GroupErrors = Partial<Record<GroupField, string>>;

export const FRESH: Omit<GroupForm, "name"> = { count: 4, slowness: 1, dropOut: 0, crash: 0 };

export const formOf = ({ count, name, slowness, dropOut, crash }: VirtualGroup): GroupForm => ({
  count,
  name,
  slowness,
  dropOut: toPercent(dropOut),
  crash: toPercent(crash),
});

/** 0.07 is 7%, not 7.000000000000001%. */
const toPercent = (share: number): number => Number((share * 100).toPrecision(12));

const MOST_DEVICES = 10_000;

/** What is wrong, by field. @param taken names of the other groups */
export const errorsOf = (form: GroupForm, taken: readonly string[]): GroupErrors => {
  const count = numberOf(form.count);
  const slowness = numberOf(form.slowness);
  const name = form.name.trim();
  const errors: GroupErrors = {};
  if (count === undefined || !Number.isInteger(count) || count < 1 || count > MOST_DEVICES)
    errors.count = `Enter a whole number from 1 to ${countText(MOST_DEVICES)}.`;
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/i.test(name))
    errors.name = "Use up to 41 letters, digits or dashes; the name cannot start with a dash.";
  else if (name.toLowerCase() === "external")
    errors.name = "The name external is reserved for Flower clients from outside. Choose another name.";
  else if (taken.some((other) => other.toLowerCase() === name.toLowerCase()))
    errors.name = `A group named ${name} already exists. Choose another name.`;
  if (slowness === undefined || slowness < 1 || slowness > 1000)
    errors.slowness = "Enter a number from 1 (this computer's speed) to 1000.";
  for (const field of ["dropOut", "crash"] as const) {
    const value = numberOf(form[field]);
    if (value === undefined || value < 0 || value > 100) errors[field] = "Enter a percentage from 0 to 100.";
  }
  return errors;
};

const numberOf = (value: number | string): number | undefined => {
  const number = typeof value === "number" ? value : value.trim() === "" ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
};

/** The group that the fields describe; valid only if they have no errors. */
export const groupOf = (form: GroupForm): VirtualGroup => ({
  count: Number(form.count),
  name: form.name.trim(),
  slowness: Number(form.slowness),
  dropOut: Number(form.dropOut) / 100,
  crash: Number(form.crash) / 100,
});

/** A name that says what is special about the group and that no other group has. */
export const suggestedName = (form: Omit<GroupForm, "name">, taken: readonly string[]): string => {
  const slow = (numberOf(form.slowness) ?? 1) > 1;
  const flaky = (numberOf(form.dropOut) ?? 0) > 0 || (numberOf(form.crash) ?? 0) > 0;
  const base = [...(slow ? ["slow"] : []), ...(flaky ? ["flaky"] : [])].join("-") || "virtual";
  const used = new Set(taken.map((name) => name.toLowerCase()));
  // a letter: a number at the end would look like one of the devices
  const endings = ["", ..."bcdefghijklmnopqrstuvwxyz".split("").map((letter) => `-${letter}`)];
  const free = endings.find((ending) => !used.has(`${base}${ending}`));
  return free === undefined ? `${base}-${used.size}x` : `${base}${free}`;
};

/** "virtual-1, virtual-2, … virtual-12" */
export const namesPreview = (form: GroupForm): string | undefined => {
  const count = numberOf(form.count);
  const { count: countError, name: nameError } = errorsOf(form, []);
  if (count === undefined || countError !== undefined || nameError !== undefined) return undefined;
  const name = form.name.trim();
  const numbers = count <= 4 ? Array.from({ length: count }, (_, i) => i + 1) : [1, 2, 3];
  const first = numbers.map((n) => `${name}-${n}`).join(", ");
  return count <= 4 ? first : `${first}, … ${name}-${count}`;
};

/** From this many devices on, a round of all of them takes long. */
const COSTLY = 200;

/** A warning when a round of all these devices would take this computer long. */
export const costOf = (form: GroupForm, cores: number | undefined): string | undefined => {
  const count = numberOf(form.count);
  if (count === undefined || count < COSTLY || errorsOf(form, []).count !== undefined) return undefined;
  const on = cores === undefined ? "this computer" : `this computer's ${plural(cores, "core")}`;
  return `${countText(count)} devices take turns on ${on}. Studies stay quick if each round draws only a few of them.`;
};

/** Ungrouped devices that the new group would take over: from a study file, or from a group that was removed. */
export const knownOf = (form: GroupForm, devices: readonly DeviceView[]): string | undefined => {
  const count = numberOf(form.count);
  if (count === undefined || namesPreview(form) === undefined) return undefined;
  const prefix = `${form.name.trim()}-`;
  const names = devices
    .filter(({ name, group, kind }) => group === undefined && kind === "virtual" && name.startsWith(prefix))
    .map(({ name }) => ({ name, number: name.slice(prefix.length) }))
    .filter(({ number }) => /^[1-9][0-9]*$/.test(number) && Number(number) <= count)
    .map(({ name }) => name);
  const [first] = names;
  if (first === undefined) return undefined;
  if (names.length === 1) return `${first} already exists; the new device keeps its history.`;
  const which = names.length <= 3 ? names.join(", ") : `${first} … ${names.at(-1)}`;
  return `${which} already exist; the new devices keep their history.`;
};
