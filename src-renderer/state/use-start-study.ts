import { useState } from "react";
import { useLocation } from "wouter";
import { messageOf } from "./message-of.ts";
import { useStates } from "./use-states.ts";

/** Starts a study and opens its page. */
export const useStartStudy = () => {
  const { client } = useStates();
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const start = async (study: unknown) => {
    setBusy(true);
    setProblem(undefined);
    try {
      navigate(`/studies/${(await client.studies.start({ study })).study}`);
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return { start, busy, problem };
};
