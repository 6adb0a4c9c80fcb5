import { useCallback, useEffect, useState } from "react";
import type { BoardProblem, BoardTarget, Reached } from "#contract/boards.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";

/** Who answers at a board's address now; asked for when the dialog opens. */
export const useReached = (target: BoardTarget) => {
  const { client } = useStates();
  const [reached, setReached] = useState<Reached>();
  const [problem, setProblem] = useState<BoardProblem>();
  const [times, setTimes] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each time is asked for
  useEffect(() => {
    let left = false;
    setProblem(undefined);
    client.boards.reach({ target }).then(
      (found) => left || setReached(found),
      (error) => left || setProblem(asBoardProblem(error)),
    );
    return () => {
      left = true;
    };
  }, [client, target, times]);
  return { reached, problem, again: useCallback(() => setTimes((n) => n + 1), []) };
};
