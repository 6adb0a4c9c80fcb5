import { Button } from "@mantine/core";
import type { BoardView } from "#contract/boards.ts";
import { targetText } from "#renderer/screens/add-board/board-target.ts";
import { Card } from "#renderer/ui/page.tsx";
import style from "./board.module.css";
import type { BoardDialog } from "./use-board-actions.ts";

const SIGN_IN: Readonly<Record<BoardView["signIn"], string>> = {
  password: "with the password that the lab keeps",
  key: "with a private key of this computer",
  agent: "with the agent of this computer",
  "lab-key": "with the lab's own key, which is installed there",
};

/** How it is reached and signed in to, where its data lie, and the way out. */
export const BoardSettings = ({
  view,
  onOpen,
}: {
  readonly view: BoardView;
  readonly onOpen: (dialog: BoardDialog) => void;
}) => {
  const written = targetText(view.target);
  const rows: readonly (readonly [string, React.ReactNode, BoardDialog, string])[] = [
    [
      "Address",
      written === view.address ? view.address : `${view.address}, written as ${written}`,
      "address",
      "Change",
    ],
    ["Sign-in", SIGN_IN[view.signIn], "sign-in", "Sign in again"],
    [
      "Data",
      view.dataFolder === undefined
        ? "the lab sends each study's part"
        : `lies on the board, in ${view.dataFolder}`,
      "data",
      "Change",
    ],
    [
      "Host key",
      <span key="key" className={style.mono}>
        {view.hostKey.fingerprint}
      </span>,
      "replace-key",
      "Replace its key",
    ],
    ["In the fleet", "since it was added; its rounds on record stay if it goes", "remove", "Remove"],
  ];
  return (
    <Card title="Settings">
      <dl className={style.settings}>
        {rows.map(([title, value, dialog, verb]) => (
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
};
