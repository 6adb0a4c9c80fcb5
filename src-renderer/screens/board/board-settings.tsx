import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import type { BoardView } from "#contract/boards.ts";
import { useNow } from "#renderer/state/use-states.ts";
import { monoClass } from "#renderer/ui/form.tsx";
import { day } from "#renderer/ui/format.ts";
import { Card } from "#renderer/ui/page.tsx";
import style from "./board-settings.module.css";
import { targetText } from "./board-target.ts";
import type { BoardDialog } from "./use-board-actions.ts";

const SIGN_IN: Readonly<Record<BoardView["signIn"], string>> = {
  password: "with the password that the lab keeps",
  key: "with a private key on this computer",
  agent: "with this computer's SSH agent",
  "lab-key": "with the lab's key, which is installed on the board",
};

interface Setting {
  readonly title: string;
  readonly value: ReactNode;
  readonly dialog: BoardDialog;
  readonly verb: string;
}

const settingsOf = (view: BoardView, now: number): readonly Setting[] => {
  const typed = targetText(view.target);
  return [
    {
      title: "Address",
      value: typed === view.address ? view.address : `${view.address}, entered as ${typed}`,
      dialog: "address",
      verb: "Change",
    },
    { title: "Sign-in", value: SIGN_IN[view.signIn], dialog: "sign-in", verb: "Sign in again" },
    {
      title: "Data",
      value:
        view.dataFolder === undefined
          ? "the lab sends the board its share of each study's data"
          : `on the board, in ${view.dataFolder}`,
      dialog: "data",
      verb: "Change",
    },
    {
      title: "Host key",
      value: <span className={monoClass}>{view.hostKey.fingerprint}</span>,
      dialog: "replace-key",
      verb: "Replace",
    },
    {
      title: "Fleet",
      value: `added ${day(view.addedAt, now)}; removing the board keeps its rounds on record`,
      dialog: "remove",
      verb: "Remove",
    },
  ];
};

/** How the board is reached and signed in to, where its data are, and how to remove it. */
export const BoardSettings = ({
  view,
  onOpen,
}: {
  readonly view: BoardView;
  readonly onOpen: (dialog: BoardDialog) => void;
}) => (
  <Card title="Settings">
    <dl className={style.settings}>
      {settingsOf(view, useNow(60_000)).map(({ title, value, dialog, verb }) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>
            <span>{value}</span>
            <Button
              size="xs"
              id={`board-${dialog}`}
              onClick={() => onOpen(dialog)}
              aria-label={`${verb}: ${title}`}
            >
              {verb}
            </Button>
          </dd>
        </div>
      ))}
    </dl>
  </Card>
);
