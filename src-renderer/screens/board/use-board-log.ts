import { useEffect, useMemo, useState } from "react";
import type { BoardLogLine } from "#contract/boards.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useBoards, useStates } from "#renderer/state/use-states.ts";
import { joinedLines } from "./board-log.ts";

const NO_LINES: readonly BoardLogLine[] = [];
/** Lines that are loaded at a time. */
const PAGE = 500;
/** A search waits for the end of the typing. */
const CALM_MS = 250;

interface LoadedLines {
  readonly lines: readonly BoardLogLine[];
  /** Older lines are on record. */
  readonly more: boolean;
  /** The search that found them; empty: all lines. */
  readonly search: string;
}

/** A board's log: the lab searches it, and new lines are added as they come. */
export const useBoardLog = (name: string, search: string) => {
  const { client } = useStates();
  const tail = useBoards((state) => state.tails[name] ?? NO_LINES);
  const [loaded, setLoaded] = useState<LoadedLines>();
  const [isLoadingOlder, setIsLoadingOlder] = useState(false);
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    let left = false;
    const wanted = search.trim();
    const load = () =>
      client.boards.logs({ name, limit: PAGE, ...(wanted === "" ? {} : { search: wanted }) }).then(
        (found) => {
          if (left) return;
          setLoaded({ ...found, search: wanted });
          setProblem(undefined);
        },
        (error) => left || setProblem(messageOf(error)),
      );
    const timer = setTimeout(load, wanted === "" ? 0 : CALM_MS);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [client, name, search]);

  const lines = useMemo(
    () => (loaded === undefined ? NO_LINES : joinedLines(loaded.lines, tail, loaded.search)),
    [loaded, tail],
  );
  /** Puts older lines before those that are shown. @returns whether there were any */
  const loadOlder = async (): Promise<boolean> => {
    const first = loaded?.lines[0];
    if (first === undefined || loaded === undefined) return false;
    setIsLoadingOlder(true);
    try {
      const found = await client.boards.logs({
        name,
        before: first.id,
        limit: PAGE,
        ...(loaded.search === "" ? {} : { search: loaded.search }),
      });
      setLoaded({ ...loaded, lines: [...found.lines, ...loaded.lines], more: found.more });
      return true;
    } catch (error) {
      setProblem(messageOf(error));
      return false;
    } finally {
      setIsLoadingOlder(false);
    }
  };
  return { loaded, lines, problem, loadOlder, isLoadingOlder };
};
