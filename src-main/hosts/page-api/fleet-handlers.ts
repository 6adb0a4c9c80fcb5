import type { BoardSummary } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import type { DeviceUpdate, FleetGroup, FleetView } from "#contract/views.ts";
import { page } from "./base.ts";
import { deviceViews, type SeenDevice } from "./fleet-view.ts";

export interface FleetPorts {
  readonly groups: {
    list(): readonly FleetGroup[];
    /** @throws UserError when its devices would have the names of others. */
    add(group: FleetGroup): void;
    /** @returns false when there is no such group. @throws UserError as `add` does. */
    change(name: string, group: FleetGroup): boolean;
    /** @returns false when there is no such group. */
    remove(name: string): boolean;
  };
  readonly devices: {
    list(): readonly SeenDevice[];
    /** Newest first. */
    history(name: string, limit: number): readonly DeviceUpdate[];
    /** By device. */
    lastUpdates(): ReadonlyMap<string, DeviceUpdate>;
    /** @returns false when there is no such device, or it is connected. */
    forget(name: string): boolean;
    /** Those that are connected stay. */
    forgetAll(names: readonly string[]): void;
  };
  /** By name. */
  boards(): ReadonlyMap<string, BoardSummary>;
  /** Number of the last recorded event. */
  cursor(): number;
  /** Tells the pages that the fleet has changed. */
  changed(): void;
  /** Milliseconds since 1970. */
  now(): number;
}

const noGroup = (name: string): string =>
  `There is no group called ${name} any more. It was removed or renamed.`;

const refuseNamesOf = (boards: ReadonlyMap<string, BoardSummary>, { name, count }: FleetGroup): void => {
  const taken = [...boards.keys()].find((board) => {
    const [, group, number] = /^(.*)-(\d+)$/.exec(board) ?? [];
    return group?.toLowerCase() === name.toLowerCase() && Number(number) >= 1 && Number(number) <= count;
  });
  if (taken === undefined) return;
  throw new UserError(
    `A board is already called ${taken}, like one of these devices would be. Choose another name.`,
  );
};

export const fleetHandlers = (ports: FleetPorts) => {
  const { groups, devices } = ports;
  const { fleet } = page;

  const view = (): FleetView => {
    const cursor = ports.cursor();
    const all = groups.list();
    return {
      groups: all,
      devices: deviceViews(all, devices.list(), devices.lastUpdates(), ports.boards(), ports.now()),
      cursor,
    };
  };
  const changed = (): FleetView => {
    ports.changed();
    return view();
  };

  return {
    view: fleet.view.handler(view),

    addGroup: fleet.addGroup.handler(({ input }) => {
      refuseNamesOf(ports.boards(), input);
      groups.add(input);
      return changed();
    }),

    changeGroup: fleet.changeGroup.handler(({ input: { group, change }, errors }) => {
      refuseNamesOf(ports.boards(), change);
      if (!groups.change(group, change)) throw errors.NOT_FOUND({ message: noGroup(group) });
      return changed();
    }),

    removeGroup: fleet.removeGroup.handler(({ input: { group }, errors }) => {
      const members = view().devices.filter((device) => device.group === group);
      if (!groups.remove(group)) throw errors.NOT_FOUND({ message: noGroup(group) });
      devices.forgetAll(members.map(({ name }) => name));
      return changed();
    }),

    forget: fleet.forget.handler(({ input: { name }, errors }) => {
      const device = view().devices.find((one) => one.name === name);
      if (device?.group !== undefined) {
        const message = `${name} belongs to the group ${device.group}. Change the group's number of devices, or remove the group.`;
        throw errors.PROBLEM({ message, data: {} });
      }
      if (devices.forget(name)) return changed();
      if (device === undefined) {
        throw errors.NOT_FOUND({ message: `${name} is no longer on the list of devices.` });
      }
      const message = `${name} is connected and would reappear immediately. Stop its client or the study first.`;
      throw errors.PROBLEM({ message, data: {} });
    }),

    forgetOffline: fleet.forgetOffline.handler(() => {
      const gone = view().devices.filter(({ group, connected }) => group === undefined && !connected);
      devices.forgetAll(gone.map(({ name }) => name));
      return changed();
    }),

    history: fleet.history.handler(({ input: { name, limit } }) => devices.history(name, limit)),
  };
};
