import { useMemo } from "react";
import { useStore } from "zustand";
import type { StudyProblem } from "#contract/study.ts";
import type { Preparation, ReadyCheck } from "#contract/views.ts";
import { asSentence } from "#renderer/ui/format.ts";
import { useDraftStore } from "./draft-store.ts";

/** What stands between the draft and its start, each thing once: a problem that a click mends is told by its check. */
export const lackingOf = (
  problems: readonly StudyProblem[],
  checks: readonly ReadyCheck[],
): { readonly fields: readonly StudyProblem[]; readonly checks: readonly ReadyCheck[] } => {
  const mended = new Set(checks.filter(({ mend }) => mend?.do === "set").map(({ text }) => text));
  return {
    fields: problems.filter(({ message }) => !mended.has(asSentence(message))),
    checks: checks.filter(({ state }) => state === "missing"),
  };
};

export const useLacking = (
  answer: Preparation | undefined,
): { readonly fields: readonly StudyProblem[]; readonly length: number } => {
  const store = useDraftStore();
  const own = useStore(store, (state) => state.own);
  const told = useStore(store, (state) => state.told);
  return useMemo(() => {
    const { fields, checks } = lackingOf([...own, ...told], answer?.checks ?? []);
    return { fields, length: fields.length + checks.length };
  }, [own, told, answer]);
};
