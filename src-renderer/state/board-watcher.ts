import type { StoreApi } from "zustand/vanilla";
import type { BoardView } from "#contract/boards.ts";
import { type BoardsState, withLoadedBoard, withoutBoard } from "./boards.ts";

export interface BoardWatcherOptions {
  readonly boards: StoreApi<BoardsState>;
  readonly ask: (name: string) => Promise<BoardView>;
  /** Why an answer did not come, in a sentence for a person. */
  readonly reasonOf: (error: unknown) => string;
}

/** Loads boards while at least one page shows them; a board that no page shows is dropped. */
export const createBoardWatcher = ({ boards, ask, reasonOf }: BoardWatcherOptions) => {
  /** How many pages show each board. */
  const watched = new Map<string, number>();
  const load = async (name: string): Promise<void> => {
    try {
      const view = await ask(name);
      if (watched.has(name)) boards.setState((state) => withLoadedBoard(state, view));
    } catch (error) {
      boards.setState(({ problems }) => ({ problems: { ...problems, [name]: reasonOf(error) } }));
    }
  };
  return {
    /** Loads again what pages show. */
    reload: (): void => {
      for (const name of watched.keys()) void load(name);
    },
    load,
    /** @returns what to call when the page is left */
    watch: (name: string): (() => void) => {
      const watching = watched.get(name) ?? 0;
      watched.set(name, watching + 1);
      if (watching === 0) void load(name);
      return () => {
        const left = (watched.get(name) ?? 1) - 1;
        if (left > 0) {
          watched.set(name, left);
          return;
        }
        watched.delete(name);
        boards.setState((state) => withoutBoard(state, name));
      };
    },
  };
};
