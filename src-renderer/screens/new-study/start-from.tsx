import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { PRESETS } from "#contract/presets.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { Problem } from "#renderer/ui/page.tsx";
import type { Draft } from "./draft.ts";
import { useDraftStore, useOnTurn } from "./draft-store.ts";
import style from "./new-study.module.css";

/** Presets, and a file: opened, or dropped anywhere on the page. */
export const StartFrom = () => {
  const store = useDraftStore();
  const before = useStore(store, (state) => state.before);
  const input = useRef<HTMLInputElement>(null);
  const [problems, setProblems] = useState<readonly string[]>();
  const [isOver, setIsOver] = useState(false);
  useOnTurn(() => setProblems(undefined));

  const open = async (file: File | undefined) => {
    if (file === undefined) return;
    setProblems(undefined);
    try {
      const { readStudyFile } = await import("./draft-file.ts");
      const opened = readStudyFile(await file.text());
      if (opened.ok) store.replace(opened.draft);
      else
        setProblems([`${file.name} cannot be opened: ${opened.problems.join("; ")}. The form is unchanged.`]);
    } catch (error) {
      setProblems([`${file.name} cannot be read: ${messageOf(error)}. The form is unchanged.`]);
    }
  };
  const onDrop = useRef(open);
  onDrop.current = open;

  useEffect(() => {
    const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;
    const over = (event: DragEvent) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      setIsOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setIsOver(false);
    };
    const drop = (event: DragEvent) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      setIsOver(false);
      void onDrop.current(event.dataTransfer?.files[0]);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);

  return (
    <>
      <section className={style.presets} aria-label="Start from">
        {PRESETS.map(({ name, title, about, study }) => (
          <button
            key={name}
            type="button"
            className={style.preset}
            onClick={() => store.replace(study as Draft)}
          >
            <b>{title}</b>
            <span>{about}</span>
          </button>
        ))}
        <button type="button" className={style.preset} onClick={() => input.current?.click()}>
          <b>Open a file</b>
          <span>A study as YAML or JSON. You can also drop it on this page.</span>
        </button>
        <input
          ref={input}
          type="file"
          hidden
          accept=".yaml,.yml,.json,application/yaml,application/json"
          aria-label="Study file"
          onChange={(event) => {
            void open(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
      </section>
      {problems?.map((text) => (
        <Problem key={text} text={text} />
      ))}
      {before !== undefined && (
        <p className={style.replaced} role="status">
          Your draft was replaced.
          <button type="button" className={style.toField} onClick={() => store.bringBack()}>
            Restore it
          </button>
        </p>
      )}
      {isOver && (
        <div className={style.dropHere} aria-hidden="true">
          Drop the study file to open it
        </div>
      )}
    </>
  );
};
