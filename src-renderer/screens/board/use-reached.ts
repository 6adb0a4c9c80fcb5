import { useCallback, useEffect, useState } from "react";
import type { BoardProblem, BoardTarget, Reached } from "#contract/boards.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";

/** Which machine answers at a board's address, and with which key; looked up when the dialog opens. */
export const useReached = (target: BoardTarget) => {
  const { client } = useStates();
  const [reached, setReached] = useState<Reached>();
  const [problem, setProblem] = useState<BoardProblem>();
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each retry looks it up again
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
  }, [client, target, tries]);
  return { reached, problem, again: useCallback(() => setTries((n) => n + 1), []) };
};
