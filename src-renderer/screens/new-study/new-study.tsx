import "#renderer/ui/quiet-zod.ts";
import { Button } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { useStore } from "zustand";
import { PRESETS } from "#contract/presets.ts";
import type { Preparation } from "#contract/views.ts";
import { HeatMap } from "#renderer/charts/heat-map.tsx";
import { messageOf } from "#renderer/state/message-of.ts";
import { useData, useFleet, useLab, useStates, useStudyList } from "#renderer/state/use-states.ts";
import { Card, Page, Problem, Small } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import { Announced } from "./announced.tsx";
import { type Draft, fromStudy, getAt, setAt, tidy } from "./draft.ts";
import { createDraftStore, DraftContext, useDraftStore, useOnTurn } from "./draft-store.ts";
import { focusField } from "./focus-field.ts";
import { Form } from "./form.tsx";
import style from "./new-study.module.css";
import { Cost, Ready } from "./ready.tsx";
import { StartFrom } from "./start-from.tsx";
import { fieldsOf } from "./told-fields.ts";
import { usePreparation } from "./use-preparation.ts";

/** A study is put together here: the form on the left, its consequences on the right. */
export const NewStudyScreen = () => {
  const [store] = useState(createDraftStore);
  return (
    <DraftContext value={store}>
      <NewStudy />
    </DraftContext>
  );
};

/** What the address asks for is taken over once: a reload keeps what was changed since. */
const useAddress = (): string | undefined => {
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
          // a board had too little memory for the one before
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

/** The study that the new one has to wait for. */
const useBefore = (): string | undefined => {
  const activity = useLab((state) => state.activity);
  const { rows } = useStudyList();
  const last = activity.queue.at(-1) ?? activity.study;
  return last === undefined ? undefined : (rows?.find(({ id }) => id === last)?.name ?? "the one that runs");
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
      setProblem(
        `Something is to be mended first: ${wrong.path === "" ? "" : `${wrong.path} `}${wrong.message}`,
      );
      focusField(wrong.path);
      return;
    }
    const missing = prepared.of === study && answer?.checks.find(({ state }) => state === "missing");
    if (missing) {
      setProblem(`${missing.text} The list below "Ready?" has what helps.`);
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
      toast({ tone: "ok", text: "Copied. As a file it runs with fedfleet run FILE, too." });
    } catch (error) {
      toast({ tone: "bad", text: `It could not be copied. ${messageOf(error)}` });
    }
  };

  const rounds = Number(getAt(draft, "rounds"));
  const algorithms = getAt(draft, "algorithms");
  const runs = (Array.isArray(algorithms) ? algorithms.length : 0) * Number(getAt(draft, "trials") ?? 1);
  return (
    <Page
      title="New study"
      subtitle="Start from a preset or a file. All algorithms get the same devices, data and draws."
      actions={
        <>
          <Button onClick={() => store.anew()}>Start anew</Button>
          <Button onClick={copy}>Copy as YAML</Button>
          <Button
            variant="filled"
            onClick={start}
            loading={busy}
            title={`${before === undefined ? "" : `After ${before} · `}Ctrl+Enter`}
            className={style.start ?? ""}
          >
            <span className={style.startText}>
              {before === undefined ? "Start experiment" : `Start after ${before}`}
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
        <section className={style.side} tabIndex={0} aria-label="Consequences">
          <Card title="Who holds what" note={answer?.preview === undefined ? undefined : "training pictures"}>
            {answer?.preview === undefined ? (
              <Small>{answer === undefined ? "Dealing out the data." : whyNoMap(answer, draft)}</Small>
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
  if (problems.length > 0) return "Shown as soon as nothing is wrong with the study any more.";
  if (checks.some(({ kind, state }) => kind === "data" && state === "missing"))
    return "Shown as soon as the data is on this computer.";
  return getAt(draft, "fleet.virtual") === undefined && getAt(draft, "fleet.devices") === undefined
    ? "External clients hold their own data; the lab does not see it."
    : "These are too many devices for a map; the study runs all the same.";
};

/** What else changes the lab's answer: what runs, what data is here, which boards are ready. */
const useOccasion = (): string => {
  const activity = useLab((state) => state.activity);
  const entries = useData((state) => state.view?.entries);
  const boards = useFleet((state) => state.view?.devices);
  return [
    activity.study,
    ...(boards ?? []).flatMap(({ name, board }) =>
      board === undefined ? [] : [`${name} ${board.setup} ${board.state}`],
    ),
    ...activity.queue,
    ...(entries ?? []).map(({ name, state }) => `${name} ${state}`),
  ].join(" ");
};
