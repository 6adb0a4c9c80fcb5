import type { BrowserWindow, Dialog, MessageBoxOptions } from "electron";
import type { Choice, Question } from "./close-question.ts";

type Boxes = Pick<Dialog, "showMessageBox" | "showErrorBox">;

/** The desktop's questions and error messages, each with what a person can do. */
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
          "The lab is not affected: a running study keeps running. Reload the page. If it crashes again, quit and restart Fedfleet.",
        buttons: ["Reload", "Quit"],
        defaultId: 0,
        cancelId: 0,
        noLink: true,
      });
      return response === 1 ? "quit" : "reload";
    },
    /** For a bug in the lab's own process. */
    fatal(error: unknown, logFile: string): void {
      const text = error instanceof Error ? error.message : String(error);
      dialog.showErrorBox(
        "Fedfleet has to close",
        `${text}\n\nAll finished rounds are saved. A study that was running can be resumed after a restart. Details are in ${logFile}.`,
      );
    },
    /** For a problem that a person can fix before the next start. */
    cannotStart(message: string): void {
      dialog.showErrorBox("Fedfleet cannot start", message);
    },
  };
};
