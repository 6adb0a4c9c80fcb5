import { useRef, useState } from "react";
import type { BoardProblem, BoardTarget } from "#contract/boards.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { type Adding, afterReach } from "./add-board.ts";

/** Contacts a board, and takes its host key once the person trusts it. */
export const useReachBoard = (onChange: (next: Adding) => void) => {
  const { client } = useStates();
  const [busy, setBusy] = useState(false);
  const [trustProblem, setTrustProblem] = useState<BoardProblem>();
  /** Counts the attempts: only the answer to the last one matters. */
  const attempt = useRef(0);

  const reach = async (target: BoardTarget) => {
    attempt.current += 1;
    const mine = attempt.current;
    onChange({ at: "reaching", target });
    let next: Adding;
    try {
      next = afterReach(target, await client.boards.reach({ target }));
    } catch (error) {
      next = { at: "reaching", target, problem: asBoardProblem(error) };
    }
    // the person may have gone back to the address meanwhile
    if (attempt.current === mine) onChange(next);
  };
  const trust = async ({ target, reached }: Extract<Adding, { at: "host-key" }>) => {
    const { host, port, key, isJump } = reached;
    setBusy(true);
    setTrustProblem(undefined);
    try {
      await client.boards.trust({ host, port, fingerprint: key.fingerprint });
      // the host behind the jump host comes next
      if (isJump) await reach(target);
      else onChange({ at: "sign-in", target, reached: { ...reached, trust: "known" } });
    } catch (error) {
      setTrustProblem(asBoardProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return {
    reach,
    /** Back to the address; an answer that comes later is dropped. */
    leave: () => {
      attempt.current += 1;
      onChange({ at: "address" });
    },
    trust,
    /** The key is being taken. */
    busy,
    trustProblem,
  };
};
