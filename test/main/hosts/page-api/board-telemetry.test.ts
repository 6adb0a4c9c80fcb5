import { createRouterClient } from "@orpc/server";
import { expect, test, vi } from "vitest";
import { boardHandlers } from "#main/hosts/page-api/board-handlers.ts";
import { createFakeBoards } from "#test/fakes/boards.ts";

const open = () => {
  const closed = new AbortController();
  const watched: string[][] = [];
  const boards = createFakeBoards({ count: 2 });
  const client = createRouterClient(
    boardHandlers({
      ...boards,
      closed: closed.signal,
      watchTelemetry(names) {
        watched.push([...names]);
        return () =>
          void watched.splice(
            watched.findIndex((one) => one.join() === names.join()),
            1,
          );
      },
    }),
  );
  return { client, watched, closed };
};

test("boards are read for as long as a page keeps the stream open", async () => {
  const { client, watched } = open();
  const page = new AbortController();
  const stream = await client.watchTelemetry({ names: ["pi-01"] }, { signal: page.signal });
  expect((await stream.next()).value).toEqual({ watching: ["pi-01"] });
  expect(watched).toEqual([["pi-01"]]);
  const ended = stream.next().catch(() => ({ done: true }));
  page.abort();
  expect((await ended).done).toBe(true);
  await vi.waitFor(() => expect(watched).toEqual([]));
});

test("a lab that closes ends the stream", async () => {
  const { client, watched, closed } = open();
  const stream = await client.watchTelemetry({ names: ["pi-01", "pi-02"] });
  await stream.next();
  expect(watched).toHaveLength(1);
  const ended = stream.next();
  closed.abort();
  expect((await ended).done).toBe(true);
  expect(watched).toEqual([]);
});
