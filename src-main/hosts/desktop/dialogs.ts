import type { BrowserWindow, Dialog, MessageBoxOptions } from "electron";
import type { Choice, Question } from "./close-question.ts";

type Boxes = Pick<Dialog, "showMessageBox" | "showErrorBox">;

/** Questions and bad news of the shell, each with what can be done. */
export const createDialogs = (dialog: Boxes, window: () => BrowserWindow | undefined) => {
  const show = async (options: MessageBoxOptions): Promise<number> => {
    const parent = window();
    const { response } = await (parent === undefined
      ? dialog.showMessageBox(options)
      : dialog.showMessageBox(parent, options));
    return response;
  };
  return {
    async ask(question: Question): Promise<Choice> {
      const cancelId = question.choices.findIndex(({ choice }) => choice === "cancel");
      const response = await show({
        type: "question",
        title: "Fedfleet",
        message: question.message,
        detail: question.detail,
        buttons: question.choices.map(({ label }) => label),
        defaultId: 0,
        cancelId,
        noLink: true,
      });
      return question.choices[response]?.choice ?? "cancel";
    },
    async askAfterCrash(reason: string): Promise<"reload" | "quit"> {
      const response = await show({
        type: "error",
        title: "Fedfleet",
        message: `The page has crashed twice within a minute (${reason}).`,
        detail:
          "The lab itself goes on: a study that runs keeps running. Load the page again; if it crashes once more, quit and start Fedfleet again.",
        buttons: ["Load the page again", "Quit"],
        defaultId: 0,
        cancelId: 0,
        noLink: true,
      });
      return response === 1 ? "quit" : "reload";
    },
    /** Of a bug in the lab's own process. */
    fatal(error: unknown, logFile: string): void {
      const text = error instanceof Error ? error.message : String(error);
      dialog.showErrorBox(
        "Fedfleet has to stop",
        `${text}\n\nEvery round that was finished is kept, and a study that ran can be resumed after the next start. The details are in ${logFile}.`,
      );
    },
    /** What a person can mend before the next start. */
    cannotStart(message: string): void {
      dialog.showErrorBox("Fedfleet cannot start", message);
    },
  };
};
