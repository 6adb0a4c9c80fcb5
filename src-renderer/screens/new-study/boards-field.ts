import type { DeviceView } from "#contract/views.ts";

/** A board as it is offered to a study. */
export interface OfferedBoard {
  readonly name: string;
  readonly model: string;
  readonly chosen: boolean;
  /** Why it cannot be selected now; a selected board can always be removed. */
  readonly whyNot: string | undefined;
  /** It can be selected, but the study would wait for it. */
  readonly note: string | undefined;
}

/** The boards of the fleet, those that are ready first; then names of the study that no board has. */
export const offeredBoards = (
  devices: readonly DeviceView[],
  chosen: readonly string[],
): readonly OfferedBoard[] => {
  const boards = devices.flatMap(({ name, board }): OfferedBoard[] =>
    board === undefined
      ? []
      : [
          {
            name,
            model: board.model ?? board.address,
            chosen: chosen.includes(name),
            whyNot: whyNot(board.setup),
            note: noteOf(board),
          },
        ],
  );
  const known = new Set(boards.map(({ name }) => name));
  const unknown = chosen
    .filter((name) => !known.has(name))
    .map((name) => ({
      name,
      model: "",
      chosen: true,
      whyNot: "The fleet has no board with this name.",
      note: undefined,
    }));
  const rank = ({ whyNot: reason, note }: OfferedBoard) =>
    reason !== undefined ? 2 : note !== undefined ? 1 : 0;
  return [...boards.toSorted((a, b) => rank(a) - rank(b)), ...unknown];
};

const whyNot = (setup: NonNullable<DeviceView["board"]>["setup"]): string | undefined => {
  switch (setup) {
    case "ready":
      return undefined;
    case "running":
      return "It is being set up.";
    case "needed":
      return "It is not set up yet.";
    case "unsupported":
      return "This board cannot run a client.";
    default:
      return "It has not been checked yet.";
  }
};

const noteOf = ({ state, problem }: NonNullable<DeviceView["board"]>): string | undefined => {
  if (state === "online") return undefined;
  return `${problem?.title ?? "Not connected"}: the study would wait for it.`;
};

export const withBoard = (
  chosen: readonly string[],
  name: string,
  wanted: boolean,
): readonly string[] | undefined => {
  const next = wanted
    ? [...chosen.filter((one) => one !== name), name]
    : chosen.filter((one) => one !== name);
  return next.length === 0 ? undefined : next;
};
