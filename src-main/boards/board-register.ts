import { UserError } from "#contract/failure.ts";
import type { Board } from "./board.ts";
import type { BoardRecord } from "./board-record.ts";

export type BoardRegister = ReturnType<typeof createBoardRegister>;

/** The boards by name. They are opened when they are first asked for: a lab that only exports a table needs none. */
export const createBoardRegister = (deps: {
  list(): readonly BoardRecord[];
  open(record: BoardRecord): Board;
}) => {
  const boards = new Map<string, Board>();
  let isOpen = false;
  const all = (): ReadonlyMap<string, Board> => {
    if (!isOpen) {
      isOpen = true;
      for (const record of deps.list()) boards.set(record.name, deps.open(record));
    }
    return boards;
  };

  return {
    all,
    /** Those that were opened so far. */
    opened: (): Board[] => [...boards.values()],
    find: (name: string): Board | undefined => all().get(name),
    /** @throws UserError where there is no such board */
    get(name: string): Board {
      const board = all().get(name);
      if (board === undefined) throw new UserError(`There is no board called ${name}.`);
      return board;
    },
    /** The name of a board that differs in upper and lower case at most. */
    nameLike: (name: string): string | undefined =>
      [...all().keys()].find((one) => one.toLowerCase() === name.toLowerCase()),
    add(record: BoardRecord): Board {
      const board = deps.open(record);
      boards.set(record.name, board);
      return board;
    },
    remove: (name: string): boolean => boards.delete(name),
  };
};
