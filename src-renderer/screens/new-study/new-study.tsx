import { Button } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useStore } from "zustand";
import type { Preparation } from "#contract/views.ts";
import { HeatMap } from "#renderer/charts/heat-map.tsx";
import { messageOf } from "#renderer/state/message-of.ts";
import { useLab, useStates, useStudyList } from "#renderer/state/use-states.ts";
import { asSentence } from "#renderer/ui/format.ts";
import { Card, Page, Problem, Small } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import { Announced } from "./announced.tsx";
import { type Draft, getAt, tidy } from "./draft.ts";
import { createDraftStore, DraftContext, useDraftStore, useOnTurn } from "./draft-store.ts";
import { focusField } from "./focus-field.ts";
import { Form } from "./form.tsx";
import style from "./new-study.module.css";
import { Cost, Ready } from "./ready.tsx";
import { StartFrom } from "./start-from.tsx";
import { fieldsOf } from "./told-fields.ts";
import { useAddress } from "./use-address.ts";
import { useOccasion } from "./use-occasion.ts";
import { usePreparation } from "./use-preparation.ts";

/** The form of a new study on the left; on the right, its data, readiness and cost. */
export const NewStudyScreen = () => {
  const [store] = useState(createDraftStore);
  return (
    <DraftContext value={store}>
      <NewStudy />
    </DraftContext>
  );
};

/** The study that the new one would wait for. */
const useBefore = (): string | undefined => {
  const activity = useLab((state) => state.activity);
  const { rows } = useStudyList();
  const last = activity.queue.at(-1) ?? activity.study;
  return last === undefined ? undefined : (rows?.find(({ id }) => id === last)?.name ?? "the running study");
};

const NewStudy = () => {
  const store = useDraftStore();
  const { client } = useStates();
  const toast = useToast();
  const [, navigate] = useLocation();
  const draft = useStore(store, (state) => state.draft);
  const study = useMemo(() => tidy(draft), [draft]);
  const addressProblem = useAddress();
  const before = useBefore();
  const occasion = useOccasion();
  const prepared = usePreparation(study, occasion);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { answer } = prepared;

  useEffect(() => {
    if (prepared.of !== study || answer === undefined) return;
    const own = new Set(store.getState().own.map(({ path }) => path));
    store.tell(answer.problems.filter(({ path }) => !own.has(path)));
  }, [store, study, prepared.of, answer]);

  useOnTurn(() => setProblem(undefined));

  const start = async () => {
    if (busy) return;
    const [wrong] = store.getState().own;
    if (wrong !== undefined) {
      setProblem(asSentence(`fix this first: ${wrong.path === "" ? "" : `${wrong.path} `}${wrong.message}`));
      focusField(wrong.path);
      return;
    }
    const missing = prepared.of === study && answer?.checks.find(({ state }) => state === "missing");
    if (missing) {
      setProblem(`${missing.text} “Readiness” below shows how to fix it.`);
      document.querySelector<HTMLElement>("[data-state=missing] button")?.focus();
      return;
    }
    setBusy(true);
    setProblem(undefined);
    try {
      const started = await client.studies.start({ study: tidy(store.getState().draft) });
      store.forget();
      navigate(`/studies/${started.study}`);
    } catch (error) {
      const fields = fieldsOf(error);
      store.tell(fields);
      setProblem(messageOf(error));
      if (fields[0] !== undefined) focusField(fields[0].path);
      setBusy(false);
    }
  };

  const onKey = useRef(start);
  onKey.current = start;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
      event.preventDefault();
      void onKey.current();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);

  const copy = async () => {
    try {
      const { toYaml } = await import("./draft-file.ts");
      await navigator.clipboard.writeText(toYaml(store.getState().draft));
      toast({ tone: "ok", text: "Copied. Saved as a file, it also runs with: fedfleet run FILE" });
    } catch (error) {
      toast({ tone: "bad", text: `The study could not be copied. ${messageOf(error)}` });
    }
  };

  const rounds = Number(getAt(draft, "rounds"));
  const algorithms = getAt(draft, "algorithms");
  const runs = (Array.isArray(algorithms) ? algorithms.length : 0) * Number(getAt(draft, "trials") ?? 1);
  return (
    <Page
      title="New study"
      subtitle="Start from a preset or a file. All algorithms get the same devices, data and client draws."
      actions={
        <>
          <Button onClick={() => store.reset()}>Reset</Button>
          <Button onClick={copy}>Copy as YAML</Button>
          <Button
            variant="filled"
            onClick={start}
            loading={busy}
            title={`${before === undefined ? "" : `After ${before} · `}Ctrl+Enter`}
            className={style.start ?? ""}
          >
            <span className={style.startText}>
              {before === undefined ? "Start study" : `Start after ${before}`}
            </span>
          </Button>
        </>
      }
    >
      {addressProblem !== undefined && <Problem text={addressProblem} />}
      {problem !== undefined && <Problem text={problem} />}
      <StartFrom />
      <div className={style.cols}>
        <Card>
          <Form />
        </Card>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard */}
        <section className={style.side} tabIndex={0} aria-label="Preview of the study">
          <Card title="Data per device" note={answer?.preview === undefined ? undefined : "training images"}>
            {answer?.preview === undefined ? (
              <Small>{answer === undefined ? "Dividing the data …" : whyNoMap(answer, draft)}</Small>
            ) : (
              <HeatMap
                devices={answer.preview.devices}
                classes={answer.preview.classes}
                histogram={answer.preview.histogram}
              />
            )}
          </Card>
          <Ready prepared={prepared} />
          {answer?.cost !== undefined && rounds > 0 && runs > 0 && (
            <Cost cost={answer.cost} rounds={rounds} runs={runs} />
          )}
        </section>
      </div>
      <Announced answer={prepared.of === study ? answer : undefined} />
    </Page>
  );
};

const whyNoMap = ({ problems, checks }: Preparation, draft: Draft): string => {
  if (problems.length > 0) return "Shown once the problems below are fixed.";
  if (checks.some(({ kind, state }) => kind === "data" && state === "missing"))
    return "Shown once the data is on this computer.";
  return getAt(draft, "fleet.virtual") === undefined && getAt(draft, "fleet.devices") === undefined
    ? "External clients hold their own data; the lab does not see it."
    : "Too many devices for a map here. The study can run with them.";
};
