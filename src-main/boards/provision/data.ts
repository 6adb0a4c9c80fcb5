import { checkFolder } from "#main/boards/board-data/send-part.ts";
import { BoardError } from "#main/boards/board-ports.ts";
import type { Step } from "./step.ts";

/** Where the board's data come from. */
export const dataStep: Step = {
  id: "data",
  title: "Check the data",
  async look({ dataFolder, connection }) {
    const rest = {
      commands: dataFolder === undefined ? [] : [`ls ${dataFolder}`],
      needsSudo: false,
      canUndo: false,
    };
    if (dataFolder === undefined) {
      return {
        ...rest,
        state: "not-needed",
        text: "The lab sends the board its part of the data when a study starts.",
      };
    }
    try {
      return {
        ...rest,
        state: "done",
        text: `The data are in ${await checkFolder(await connection(), dataFolder)}.`,
      };
    } catch (error) {
      if (!(error instanceof BoardError) || error.problem.code !== "data-missing") throw error;
      return {
        ...rest,
        state: "open",
        text: `${error.problem.cause} ${error.problem.next}`,
        problem: error.problem,
      };
    }
  },
  async run({ board, connection }) {
    if (board.dataFolder !== undefined) await checkFolder(connection, board.dataFolder);
  },
};
