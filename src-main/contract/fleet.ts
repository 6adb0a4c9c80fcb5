import { z } from "zod";

const positiveInt = z.number().int().min(1);
const fraction = z.number().min(0).max(1);

/** The first part of the names of foreign clients, numbered as they join; no group of virtual devices may use it. */
const EXTERNAL = "external";

/** A group of virtual devices that share a profile. */
export const virtualGroup = z.strictObject({
  count: positiveInt.max(10_000),
  /** Its devices are called `${name}-1`, `${name}-2`, …. */
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,40}$/i,
      "write up to 41 letters, digits or dashes; it cannot start with a dash",
    )
    .default("virtual"),
  /** How many times as long training takes, by waiting: 1 is as fast as this computer, 3 is three times slower. */
  slowness: z.number().min(1).max(1000).default(1),
  /** Probability, per round, that the device drops its connection instead of answering; it rejoins afterwards. */
  dropOut: fraction.default(0),
  /** Probability, per round, that the whole worker process under the device dies. */
  crash: fraction.default(0),
});
export type VirtualGroup = z.output<typeof virtualGroup>;

/** Who takes part: each crew of the registry has one key. */
export const fleetSchema = z
  .strictObject({
    virtual: z.union([positiveInt.max(10_000), virtualGroup, z.array(virtualGroup).min(1)]).optional(),
    devices: z.array(z.string().min(1)).min(1).optional(),
    external: positiveInt.max(10_000).optional(),
  })
  .refine((f) => f.virtual !== undefined || f.external !== undefined || f.devices !== undefined, {
    error: "name at least one of virtual, devices, external",
  });
export type Fleet = z.output<typeof fleetSchema>;

/** `fleet.virtual` in its long form. */
export const virtualGroups = ({ virtual }: Fleet): readonly VirtualGroup[] => {
  if (virtual === undefined) return [];
  if (typeof virtual === "number") {
    return [{ count: virtual, name: "virtual", slowness: 1, dropOut: 0, crash: 0 }];
  }
  return Array.isArray(virtual) ? virtual : [virtual];
};

/** The names of the virtual devices, in order: `virtual-1`, `virtual-2`, …. */
export const virtualNames = (fleet: Fleet): readonly string[] =>
  virtualGroups(fleet).flatMap((g) => Array.from({ length: g.count }, (_, i) => `${g.name}-${i + 1}`));

/** The name of the nth foreign client that joins, n from 1. */
const externalName = (n: number): string => `${EXTERNAL}-${n}`;

/** Whether a name looks like that of a foreign client, in upper or lower case. */
export const isExternalName = (name: string): boolean => new RegExp(`^${EXTERNAL}-\\d+$`, "i").test(name);

/** One kind of device, as far as the study is concerned; lab/crews brings it up. */
export interface CrewDefinition {
  /** How many of the study's devices are of this crew. */
  count(fleet: Fleet): number;
  /** Their names, in order. */
  members(fleet: Fleet): readonly string[];
  /** Whether this computer deals its data to them; the others bring their own. */
  readonly isDealtData: boolean;
  /** Whether this computer hosts them, so that all of them join by themselves. */
  readonly isHosted: boolean;
}

/** The crews, in the order in which the partition is dealt to them. */
export const CREWS = {
  virtual: {
    count: (fleet) => virtualGroups(fleet).reduce((sum, { count }) => sum + count, 0),
    members: virtualNames,
    isDealtData: true,
    isHosted: true,
  },
  board: {
    count: ({ devices = [] }) => devices.length,
    members: ({ devices = [] }) => devices,
    isDealtData: true,
    isHosted: false,
  },
  external: {
    count: ({ external = 0 }) => external,
    members: ({ external = 0 }) => Array.from({ length: external }, (_, i) => externalName(i + 1)),
    isDealtData: false,
    isHosted: false,
  },
} as const satisfies Record<string, CrewDefinition>;

export type CrewKind = keyof typeof CREWS;
export const CREW_KINDS = Object.keys(CREWS) as [CrewKind, ...CrewKind[]];

const crews: readonly CrewDefinition[] = Object.values(CREWS);

/** The names of all devices of a study, connected or not, in order. */
export const rosterOf = (fleet: Fleet): readonly string[] => crews.flatMap((crew) => crew.members(fleet));

/** The names of those that this computer hosts. */
export const hostedNames = (fleet: Fleet): readonly string[] =>
  crews.filter(({ isHosted }) => isHosted).flatMap((crew) => crew.members(fleet));

/** The names of those that the data is dealt to, in the order of the partition's rows: virtual devices, then boards. */
export const dataNames = (fleet: Fleet): readonly string[] =>
  crews.filter(({ isDealtData }) => isDealtData).flatMap((crew) => crew.members(fleet));

/** A partition with the devices that hold it: row i of its lists belongs to device i. */
export const withHolders = <P extends object>(fleet: Fleet, partition: P) => ({
  ...partition,
  devices: dataNames(fleet),
});

/** Whether some devices bring data of their own, which the lab does not see. */
export const hasForeignData = (fleet: Fleet): boolean =>
  crews.some((crew) => !crew.isDealtData && crew.count(fleet) > 0);

export const fleetSize = (fleet: Fleet): number => crews.reduce((sum, crew) => sum + crew.count(fleet), 0);

export interface FleetProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The names of a larger fleet are not made: its count alone is refused elsewhere. */
const MOST_NAMED = 100_000;

/** Names that two devices would share, or that belong to foreign clients. */
export const fleetProblems = (fleet: Fleet): readonly FleetProblem[] => {
  const problems: FleetProblem[] = [];
  const problem = (path: FleetProblem["path"], message: string) => problems.push({ path, message });
  const groups = virtualGroups(fleet).map(({ name }) => name);
  groups.forEach((name, i) => {
    if (isExternalName(`${name}-1`)) {
      problem(
        ["fleet", "virtual", i, "name"],
        `clients that join by themselves are called ${EXTERNAL}-1, ${EXTERNAL}-2, …; choose another name`,
      );
    }
    if (groups.indexOf(name) !== i) {
      problem(["fleet", "virtual", i, "name"], `two groups are called ${name}`);
    }
  });
  const boards = fleet.devices ?? [];
  const isNamed = boards.length > 0 && fleetSize(fleet) <= MOST_NAMED;
  const virtual = new Set(isNamed ? virtualNames(fleet) : []);
  boards.forEach((name, i) => {
    if (boards.indexOf(name) !== i) problem(["fleet", "devices", i], `${name} is listed twice`);
    if (isExternalName(name)) {
      problem(["fleet", "devices", i], `clients that join by themselves have names like ${name}`);
    }
    if (virtual.has(name)) problem(["fleet", "devices", i], `a virtual device is also called ${name}`);
  });
  return problems;
};
