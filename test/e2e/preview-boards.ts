import process from "node:process";
import type { BoardLogLine, TelemetryPoint } from "#contract/boards.ts";
import type { FakeNotice } from "#test/fakes/board-set-up.ts";
import { createFakeBoards } from "#test/fakes/boards.ts";

interface LogPort {
  append(device: string, lines: readonly Omit<BoardLogLine, "id">[]): readonly BoardLogLine[];
  points(device: string, since: string, limit: number): readonly TelemetryPoint[];
}

/** Stands for the fleet's own `createBoards` while the page is looked at: boards in memory, logs in the lab's store. */
export const createBoards = ({ log }: { readonly log: LogPort }) => {
  const listeners = new Set<(notice: FakeNotice) => void>();
  const fake = createFakeBoards({
    count: Number(process.env.FEDFLEET_PREVIEW_BOARDS ?? "12"),
    ...(process.env.FEDFLEET_PREVIEW_STUDY === undefined
      ? {}
      : { study: process.env.FEDFLEET_PREVIEW_STUDY }),
    tell: (notice) => {
      for (const listener of listeners) listener(notice);
    },
    appendLog: log.append,
  });
  return {
    ...fake,
    onNotice(listener: (notice: FakeNotice) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    // the lab asks for it at once
    view: fake.view,
    engage(): never {
      throw new Error("boards of the preview cannot train");
    },
    forgetStudy: () => {},
    close: async () => fake.close(),
  };
};
