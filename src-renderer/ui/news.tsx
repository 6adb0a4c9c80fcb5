import { useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { useLab, useStates } from "#renderer/state/use-states.ts";
import { useToast } from "./toasts.tsx";

const WORDS = {
  done: "has finished",
  failed: "has ended with a failed run",
  interrupted: "has stopped; you can resume it",
};

/** Tells on every page what happened on another: a study ended, or could not continue. */
export const News = () => {
  const states = useStates();
  const toast = useToast();
  const [location] = useLocation();
  const ended = useLab((state) => state.ended);
  const trouble = useLab((state) => state.said.findLast((notice) => notice.problem));
  const told = useRef<unknown>(undefined);
  const warned = useRef<unknown>(undefined);
  useEffect(() => {
    if (ended === undefined || told.current === ended) return;
    told.current = ended;
    if (location === `/studies/${ended.study}`) return;
    const { rows, open } = states.studies.getState();
    const name =
      open[ended.study]?.view.name ?? rows?.find((row) => row.id === ended.study)?.name ?? ended.study;
    toast({
      tone: ended.status === "done" ? "ok" : "quiet",
      text: (
        <>
          <Link href={`/studies/${ended.study}`}>{name}</Link> {WORDS[ended.status]}.
        </>
      ),
    });
  }, [ended, location, states, toast]);
  useEffect(() => {
    if (trouble === undefined || warned.current === trouble) return;
    warned.current = trouble;
    if (location !== `/studies/${trouble.study}`) toast({ tone: "bad", text: trouble.message });
  }, [trouble, location, toast]);
  return null;
};
