import { useEffect, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { PRESETS } from "#contract/presets.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { type Draft, fromStudy, setAt } from "./draft.ts";
import { useDraftStore, useOnTurn } from "./draft-store.ts";

/** What the address asks for is applied once: a reload keeps later changes. */
export const useAddress = (): string | undefined => {
  const store = useDraftStore();
  const { client } = useStates();
  const [, navigate] = useLocation();
  const search = useSearch();
  const [problem, setProblem] = useState<string>();
  useOnTurn(() => setProblem(undefined));
  useEffect(() => {
    const query = new URLSearchParams(search);
    const preset = query.get("preset");
    const from = query.get("from");
    const dataset = query.get("dataset");
    const batchSize = Number(query.get("batchSize") ?? Number.NaN);
    if (dataset !== null) {
      store.set("dataset", dataset);
      navigate("/new", { replace: true });
    }
    if (preset === null && from === null) return;
    let left = false;
    const take = async () => {
      try {
        const found =
          from === null
            ? PRESETS.find(({ name }) => name === preset)?.study
            : fromStudy((await client.studies.get({ study: from })).study.study);
        if (left) return;
        if (found === undefined) setProblem(`There is no preset called ${preset}.`);
        else {
          const draft = found as Draft;
          // a board had too little memory for the earlier study
          store.replace(
            Number.isInteger(batchSize) && batchSize > 0 ? setAt(draft, "batchSize", batchSize) : draft,
          );
        }
      } catch (error) {
        if (left) return;
        setProblem(`The study ${from} could not be loaded. ${messageOf(error)}`);
      }
      navigate("/new", { replace: true });
    };
    void take();
    return () => {
      left = true;
    };
  }, [search, client, navigate, store]);
  return problem;
};
