import { useState } from "react";
import { useLocation } from "wouter";
import type { BoardAction, BoardSummary } from "#contract/boards.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { useToast } from "#renderer/ui/toasts.tsx";

/** What a board's page can open with; its address names it (`?do=sign-in`). */
export const BOARD_DIALOGS = ["sign-in", "address", "set-up", "replace-key", "data", "remove"] as const;
export type BoardDialog = (typeof BOARD_DIALOGS)[number];

export const boardPath = (name: string, dialog?: BoardDialog): string =>
  `/fleet/${encodeURIComponent(name)}${dialog === undefined ? "" : `?do=${dialog}`}`;

/** Carries out the actions that problems offer; what needs a form is done on the board's own page. */
export const useBoardActions = (name: string) => {
  const { client, setBoard } = useStates();
  const [, navigate] = useLocation();
  const toast = useToast();
  const [busy, setBusy] = useState<string>();

  /** @returns whether it worked; a toast tells why it did not */
  const act = async (what: string, work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(what);
    try {
      await work();
      return true;
    } catch (error) {
      toast({ tone: "bad", text: messageOf(error) });
      return false;
    } finally {
      setBusy(undefined);
    }
  };
  const connect = () => act("retry", async () => setBoard(await client.boards.connect({ name })));
  const probe = () => act("probe", async () => setBoard(await client.boards.probe({ name })));
  const clientDo = (what: "restart" | "stop" | "remove") =>
    act(what, async () => setBoard(await client.boards.client({ name, do: what })));

  const run = async (action: BoardAction, board: BoardSummary): Promise<void> => {
    const study = board.client?.study;
    switch (action.do) {
      case "retry":
        await connect();
        return;
      case "edit-target":
        return navigate(boardPath(name, "address"));
      case "sign-in":
        return navigate(boardPath(name, "sign-in"));
      case "ask-sudo":
      case "step":
      case "load-image":
        return navigate(boardPath(name, "set-up"));
      case "restart-client":
        await clientDo("restart");
        return;
      case "lower-batch-size":
        if (study !== undefined) navigate(`/new?from=${study}&batchSize=${action.batchSize}`);
        return;
      case "start-without":
        if (study !== undefined) await act("start-without", () => client.studies.goOnWithout({ study }));
        return;
      // the button itself shows the commands
      case "show-commands":
        return navigate(boardPath(name));
    }
  };
  return { run, connect, probe, clientDo, act, busy };
};
export type BoardActions = ReturnType<typeof useBoardActions>;
