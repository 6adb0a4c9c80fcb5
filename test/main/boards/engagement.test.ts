import { beforeEach, describe, expect, test } from "vitest";
import type { BoardProblem } from "#contract/boards.ts";
import type { Failure } from "#contract/failure.ts";
import type { Board } from "#main/boards/board.ts";
import type { LinkState } from "#main/boards/board-ports.ts";
import { createEngagement, type Engagement } from "#main/boards/engagement.ts";
import type { KeptClient } from "#main/boards/launch/kept-client.ts";

/** As much of a board as an engagement uses; it is offline until a test says otherwise. */
const createBoard = (name: string) => {
  const listeners = new Set<(state: LinkState) => void>();
  const offline: LinkState = { state: "offline", since: "2026-03-01T12:00:00.000Z" };
  let state = offline;
  let client: KeptClient | undefined;
  const board = {
    name,
    facts: () => ({}),
    record: () => ({}),
    changed: () => {},
    link: {
      get state() {
        return state;
      },
      connection: undefined,
      onChange(listener: (state: LinkState) => void) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      connect: () => {},
      online: (signal: AbortSignal) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    },
    get client() {
      return client;
    },
    setClient(kept: KeptClient | undefined) {
      client = kept;
    },
  };
  return {
    board: board as unknown as Board,
    view: () => client?.view(),
    listeners,
    become(problem: BoardProblem): void {
      state = { ...offline, problem };
      for (const listener of listeners) listener(state);
    },
  };
};

const SILENT: BoardProblem = {
  code: "no-answer",
  title: "The board does not answer",
  cause: "Nothing has come from it for 5 s.",
  next: "Wait.",
};
const LOST: Failure = {
  code: "connection-lost",
  device: "pi",
  cause: "its connection ended",
  next: "Wait.",
} as Failure;

describe("a study on boards", () => {
  let pi: ReturnType<typeof createBoard>;
  let engagement: Engagement;
  beforeEach(() => {
    pi = createBoard("pi");
    engagement = createEngagement({
      study: "s1",
      run: "r1",
      devices: ["pi"],
      model: "Net",
      seed: 1,
      batchSize: 50,
      part: async () => ({ json: "{}", files: [] }),
      accept: () => () => {},
      onTraining: () => {},
      fleetSize: 2,
      signal: new AbortController().signal,
      boards: [pi.board],
      labId: "lab",
      imageTag: () => undefined,
      emit: () => {},
      output: () => {},
      onBug: (error) => {
        throw error;
      },
    });
    return () => engagement.stop(false);
  });

  test("is told which run began", () => {
    expect(pi.view()).toMatchObject({ study: "s1", run: "r1" });
    engagement.runBegan("r2");
    expect(pi.view()).toMatchObject({ study: "s1", run: "r2" });
  });

  test("explains a lost connection as soon as its cause is known", async () => {
    const asked = performance.now();
    const explaining = engagement.explain(LOST);
    setTimeout(() => pi.become(SILENT), 50);
    expect(await explaining).toMatchObject({
      code: "board-lost",
      cause: "The board does not answer: Nothing has come from it for 5 s",
      next: "Wait.",
    });
    expect(performance.now() - asked).toBeLessThan(3000);
  });

  test("leaves other failures, and those of other devices, as they are", async () => {
    const other: Failure = { ...LOST, device: "virtual-1" };
    expect(await engagement.explain(other)).toBe(other);
    const refused: Failure = { ...LOST, code: "client-exited" };
    expect(await engagement.explain(refused)).toBe(refused);
  });

  test("that is stopped keeps nobody waiting, and listens no longer", async () => {
    const explaining = engagement.explain(LOST);
    const begun = performance.now();
    await engagement.stop(false);
    expect(await explaining).toBe(LOST);
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(pi.view()).toBeUndefined();
    expect(pi.listeners.size).toBe(0);
  });
});
