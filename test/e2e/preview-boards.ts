import process from "node:process";
import type { BoardLogLine, TelemetryPoint } from "#contract/boards.ts";
import type { BoardRecord } from "#main/boards/board-record.ts";
import type { FakeNotice } from "#test/fakes/board-set-up.ts";
import { createFakeBoards } from "#test/fakes/boards.ts";

interface LogPort {
  append(device: string, lines: readonly Omit<BoardLogLine, "id">[]): readonly BoardLogLine[];
  points(device: string, since: string, limit: number): readonly TelemetryPoint[];
}

interface RecordPort {
  list(): readonly { readonly name: string }[];
  add(record: BoardRecord): void;
}

/** Stands in for the `createBoards` while the page is looked at: boards in memory, logs in the lab's store. */
export const createBoards = ({ log, records }: { readonly log: LogPort; readonly records: RecordPort }) => {
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
  // What checks a study asks the record, not the boards.
  const record = async (name: string): Promise<void> => {
    const view = await fake.view(name);
    if (view === undefined || records.list().some((known) => known.name === name)) return;
    const { target, hostKey, addedAt } = view;
    records.add({
      name,
      target,
      signIn: { kind: "lab-key" },
      hostKey,
      ready: view.setup === "ready",
      addedAt,
    });
  };
  for (const name of fake.summaries().keys()) void record(name);
  return {
    ...fake,
    async add(given: Parameters<typeof fake.add>[0]): Promise<void> {
      await fake.add(given);
      await record(given.name);
    },
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
