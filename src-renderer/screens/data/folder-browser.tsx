import { Button } from "@mantine/core";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { FolderView } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { bytes } from "#renderer/ui/format.ts";
import { Problem, Small } from "#renderer/ui/page.tsx";
import style from "./folder-browser.module.css";

/** Browses the folders of the lab's computer: arrow keys move, Enter opens a folder or chooses a file. */
export const FolderBrowser = ({
  chosen,
  onChoose,
}: {
  readonly chosen: string;
  readonly onChoose: (path: string) => void;
}) => {
  const { client } = useStates();
  const [path, setPath] = useState<string>();
  const [view, setView] = useState<FolderView>();
  const [problem, setProblem] = useState<string>();
  const list = useRef<HTMLUListElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    let left = false;
    client.data.browse(path === undefined ? {} : { path }).then(
      (found) => {
        if (left) return;
        setView(found);
        setProblem(undefined);
      },
      (error) => left || setProblem(messageOf(error)),
    );
    return () => {
      left = true;
    };
  }, [client, path]);
  useEffect(() => {
    // The pressed button is gone: the focus moves to the first entry of the new list.
    if (view !== undefined && moved.current) list.current?.querySelector("button")?.focus();
  }, [view]);

  const go = (next: string) => {
    moved.current = true;
    setPath(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const next = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: buttons.length - 1,
    }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      buttons[Math.min(buttons.length - 1, Math.max(0, next))]?.focus();
    } else if ((event.key === "Backspace" || event.key === "ArrowLeft") && view?.parent !== undefined) {
      event.preventDefault();
      go(view.parent);
    }
  };

  if (problem !== undefined)
    return (
      <Problem
        text={problem}
        action={
          <Button size="xs" onClick={() => setPath(view?.path ?? "~")}>
            Back
          </Button>
        }
      />
    );
  if (view === undefined) return <Small>Reading the folder…</Small>;
  const inside = (name: string) => `${view.path.endsWith("/") ? view.path : `${view.path}/`}${name}`;
  return (
    <section className={style.browser} aria-label="Folders and files">
      <div className={style.head}>
        <b title={view.path}>{view.path}</b>
        <Button size="xs" onClick={() => onChoose(view.path)} disabled={chosen === view.path}>
          {chosen === view.path ? "Chosen" : "Choose this folder"}
        </Button>
      </div>
      <ul ref={list} onKeyDown={onKeyDown}>
        {view.parent !== undefined && (
          <BrowserEntry label="Parent folder" mark="↰" onClick={() => go(view.parent as string)} />
        )}
        {view.folders.map((name) => (
          <BrowserEntry key={`/${name}`} label={name} mark="▸" onClick={() => go(inside(name))} />
        ))}
        {view.files.map(({ name, bytes: size }) => (
          <BrowserEntry
            key={name}
            label={name}
            mark="◻"
            note={bytes(size)}
            chosen={chosen === inside(name)}
            onClick={() => onChoose(inside(name))}
          />
        ))}
      </ul>
      {view.folders.length + view.files.length === 0 && (
        <p className={style.none}>This folder has no folders and no data files.</p>
      )}
      {view.more && (
        <p className={style.none}>This folder has more entries than fit here. Type the path instead.</p>
      )}
    </section>
  );
};

const BrowserEntry = ({
  label,
  mark,
  note,
  chosen,
  onClick,
}: {
  readonly label: string;
  readonly mark: string;
  readonly note?: string;
  readonly chosen?: boolean;
  readonly onClick: () => void;
}) => (
  <li>
    <button
      type="button"
      onClick={onClick}
      title={label}
      {...(chosen === undefined ? {} : { "aria-pressed": chosen })}
    >
      <i aria-hidden>{mark}</i>
      <span>{label}</span>
      {note !== undefined && <Small>{note}</Small>}
    </button>
  </li>
);
