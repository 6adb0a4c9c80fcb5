import type { BoardSummary } from "#contract/boards.ts";
import type { CrewKind } from "#contract/fleet.ts";
import type { DeviceUpdate, DeviceView, FleetGroup } from "#contract/views.ts";

/** A device as it was last seen. */
export interface SeenDevice {
  readonly name: string;
  readonly kind: CrewKind;
  readonly dialect?: string;
  readonly address?: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly connected: boolean;
  readonly leftReason?: string;
}

/** Days for which an ungrouped virtual device, which came with a study file, stays on the list. */
const GUEST_DAYS = 7;
const DAY_MS = 24 * 3600 * 1000;

/**
 * The boards; then the devices of the groups, in the groups' order, whether they were seen or not; then the others by
 * name: external ones until they are removed, virtual ones while they are connected and for some days after.
 * @param now milliseconds since 1970
 */
export const deviceViews = (
  groups: readonly FleetGroup[],
  seen: readonly SeenDevice[],
  lastUpdates: ReadonlyMap<string, DeviceUpdate>,
  boards: ReadonlyMap<string, BoardSummary>,
  now: number,
): DeviceView[] => {
  const byName = new Map(seen.map((device) => [device.name, device]));
  const withUpdate = <D extends { readonly name: string }>(device: D) => {
    const lastUpdate = lastUpdates.get(device.name);
    return { ...device, ...(lastUpdate === undefined ? {} : { lastUpdate }) };
  };
  const members = groups.flatMap(({ name: group, count, slowness, dropOut, crash }) =>
    Array.from({ length: count }, (_, i): DeviceView => {
      const name = `${group}-${i + 1}`;
      return withUpdate({
        connected: false,
        ...byName.get(name),
        name,
        kind: "virtual",
        group,
        profile: { slowness, dropOut, crash },
      });
    }),
  );
  const onBoards = [...boards].map(([name, board]): DeviceView => {
    const { dialect, firstSeen, lastSeen, connected = false, leftReason } = byName.get(name) ?? {};
    return withUpdate({
      name,
      kind: "board",
      board,
      connected,
      address: board.address,
      ...(dialect === undefined ? {} : { dialect }),
      ...(firstSeen === undefined ? {} : { firstSeen }),
      ...(lastSeen === undefined ? {} : { lastSeen }),
      ...(leftReason === undefined ? {} : { leftReason }),
    });
  });
  const grouped = new Set([...members, ...onBoards].map(({ name }) => name));
  const isListed = ({ name, kind, connected, lastSeen }: SeenDevice): boolean =>
    !grouped.has(name) &&
    // a board that was removed is no longer one
    kind !== "board" &&
    (kind === "external" || connected || now - Date.parse(lastSeen) <= GUEST_DAYS * DAY_MS);
  const byNumber = new Intl.Collator("en", { numeric: true });
  const others = seen.filter(isListed).toSorted((a, b) => byNumber.compare(a.name, b.name));
  return [...onBoards, ...members, ...others.map(withUpdate)];
};
