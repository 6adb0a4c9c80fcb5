import { describe, expect, it } from "vitest";
import { createBell } from "#main/boards/bell.ts";
import { whenClosed } from "#main/boards/board-data/when-closed.ts";
import type { SshConnection } from "#main/boards/board-ports.ts";

/** As much of a connection as its end. */
const connectionOf = () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isClosed = false;
  let waiting = 0;
  const closed = {
    // biome-ignore lint/suspicious/noThenProperty: it counts who waits
    then: (...args: Parameters<Promise<void>["then"]>) => {
      waiting++;
      return promise.then(...args);
    },
  };
  const connection = {
    closed: closed as Promise<void>,
    get isClosed() {
      return isClosed;
    },
  } as SshConnection;
  return {
    connection,
    waiting: () => waiting,
    async close() {
      isClosed = true;
      resolve();
      await new Promise((turn) => setImmediate(turn));
    },
  };
};

describe("the end of a connection", () => {
  it("is told once to each, in order, and not to who forgot about it", async () => {
    const { connection, close } = connectionOf();
    const told: string[] = [];
    const same = () => told.push("same");
    whenClosed(connection, () => told.push("first"));
    const forget = whenClosed(connection, () => told.push("forgotten"));
    whenClosed(connection, same);
    whenClosed(connection, same)();
    forget();
    await close();
    expect(told).toEqual(["first", "same"]);
    whenClosed(connection, () => told.push("late"));
    whenClosed(connection, () => told.push("never"))();
    await close();
    expect(told).toEqual(["first", "same", "late"]);
  });

  it("who waits for it and forgets leaves nothing behind", () => {
    const { connection, waiting } = connectionOf();
    for (let i = 0; i < 10_000; i++) whenClosed(connection, () => {})();
    expect(waiting()).toBe(1);
  });

  it("one may begin or forget others while it is told", async () => {
    const { connection, close } = connectionOf();
    const told: string[] = [];
    whenClosed(connection, () => {
      told.push("a");
      forget();
      whenClosed(connection, () => told.push("c"));
    });
    const forget = whenClosed(connection, () => told.push("b"));
    await close();
    await close();
    expect(told).toEqual(["a", "c"]);
  });
});

describe("a bell", () => {
  it("ends all that wait, and those alone", async () => {
    const bell = createBell();
    const ended: string[] = [];
    const waits = [
      bell.rest().then(() => ended.push("rest")),
      bell.rest(60_000).then(() => ended.push("long rest")),
    ];
    bell.onRing(() => ended.push("listener"));
    bell.onRing(() => ended.push("none"))();
    bell.ring();
    await Promise.all(waits);
    expect(ended.sort()).toEqual(["listener", "long rest", "rest"]);
    bell.ring();
    expect(ended).toHaveLength(3);
    const begun = performance.now();
    await bell.rest(30);
    expect(performance.now() - begun).toBeGreaterThan(25);
  });

  it("looks at what is waited for now and at each ring", async () => {
    const bell = createBell();
    await bell.until(() => true);
    let holds = false;
    let looks = 0;
    const waited = bell.until(() => {
      looks++;
      return holds;
    });
    bell.ring();
    await Promise.resolve();
    await Promise.resolve();
    holds = true;
    bell.ring();
    await waited;
    expect(looks).toBeGreaterThan(1);
  });
});
