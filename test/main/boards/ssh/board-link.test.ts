import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import type { ClientChannel } from "ssh2";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BoardProblem, BoardProblemCode } from "#contract/boards.ts";
import { BoardError, type BoardLink, type LinkState, type SshConnection } from "#main/boards/board-ports.ts";
import { createBoardLink } from "#main/boards/ssh/board-link.ts";
import { lostProblem } from "#main/boards/ssh/problems.ts";
import { type Sshd, startSshd } from "#test/setup/sshd.ts";
import { createSshLab, NO_NAMESPACE, named, skip, targetOf } from "./ssh-lab.ts";

const BEAT = "while :; do echo beat; sleep 1; done";
const PULSE = { command: BEAT, heartbeat: BEAT, read: () => ({ at: "now" }) };

const problem = (code: BoardProblemCode): BoardProblem => ({ code, title: code, cause: "It.", next: "Do." });

/** A connection whose pulse a test beats by hand. */
class FakeConnection extends EventEmitter {
  isClosed = false;
  lost: BoardProblem | undefined;
  heardAt: number | undefined;
  readers: (PassThrough & { stderr: PassThrough })[] = [];
  private settle = (): void => {};
  readonly closed = new Promise<void>((resolve) => {
    this.settle = resolve;
  });
  async open(): Promise<ClientChannel> {
    const channel = Object.assign(new PassThrough(), { stderr: new PassThrough() });
    channel.end = () => channel;
    this.readers.push(channel);
    return channel as unknown as ClientChannel;
  }
  beat(line = "beat\n"): void {
    this.readers.at(-1)!.push(line);
  }
  endReader(words = ""): void {
    this.readers.at(-1)!.stderr.push(words);
    setImmediate(() => this.readers.at(-1)!.emit("close", 1));
  }
  end(): void {
    this.lose(undefined);
  }
  lose(error = new Error("ECONNRESET") as Error | undefined): void {
    this.isClosed = true;
    this.lost = lostProblem({ host: "board", port: 22, user: "pi" }, error, error === undefined);
    this.settle();
  }
}

describe("a link", () => {
  let link: BoardLink;
  let states: LinkState[];
  let connections: FakeConnection[];
  let failures: BoardProblemCode[];
  let attempts: number[];
  let points: number;
  const names = () => states.map(({ state }) => state);
  const settle = () => vi.advanceTimersByTimeAsync(0);
  const last = () => connections.at(-1)!;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "setImmediate"] });
    [states, connections, failures, attempts, points] = [[], [], [], [], 0];
    link = createBoardLink({
      connect: async () => {
        attempts.push(Date.now());
        const code = failures.shift();
        if (code !== undefined) throw new BoardError(problem(code));
        connections.push(new FakeConnection());
        return last() as unknown as SshConnection;
      },
      pulse: PULSE,
      onPulse: () => {
        points += 1;
      },
      timing: { random: () => 0.5 },
    });
    link.onChange((state) => states.push(state));
  });
  afterEach(async () => {
    await link.disconnect();
    vi.useRealTimers();
  });

  test("does nothing before it is asked, then connects and hands out the connection", async () => {
    await vi.advanceTimersByTimeAsync(60_000);
    expect(attempts).toEqual([]);
    const waiting = link.online(AbortSignal.timeout(1000));
    link.connect();
    link.connect();
    expect(link.state.state).toBe("connecting");
    expect(await waiting).toBe(last());
    expect(link.connection).toBe(last());
    expect(names()).toEqual(["connecting", "online"]);
    expect(attempts).toHaveLength(1);
  });

  test("says within 5 s that a board is silent, and that it is back with the next line", async () => {
    link.connect();
    await settle();
    for (let second = 0; second < 8; second++) {
      last().beat();
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(link.state.state).toBe("online");
    expect(points).toBe(8);
    await vi.advanceTimersByTimeAsync(4100);
    expect(link.state).toMatchObject({ state: "silent", problem: { code: "no-answer" } });
    expect(link.connection).toBe(last());
    let found: SshConnection | undefined;
    void link.online(new AbortController().signal).then((connection) => {
      found = connection;
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(found).toBeUndefined();
    last().beat("half a l");
    await settle();
    expect(link.state.state).toBe("silent");
    last().beat("ine\n");
    await settle();
    expect(link.state).toMatchObject({ state: "online" });
    expect(link.state.problem).toBeUndefined();
    expect(found).toBe(last());
    // And it is said again the next time.
    await vi.advanceTimersByTimeAsync(5100);
    expect(link.state.state).toBe("silent");
  });

  test("bytes of other traffic are signs of life, but do not bring a silent board back", async () => {
    link.connect();
    await settle();
    for (let second = 0; second < 10; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      last().heardAt = Date.now();
    }
    expect(link.state.state).toBe("online");
    await vi.advanceTimersByTimeAsync(5100);
    expect(link.state.state).toBe("silent");
    last().heardAt = Date.now();
    await vi.advanceTimersByTimeAsync(2000);
    expect(link.state.state).toBe("silent");
  });

  test("a reader that ended is started again, and its last words explain a silence", async () => {
    link.connect();
    await settle();
    last().beat();
    last().endReader("sh: 1: not allowed");
    await vi.advanceTimersByTimeAsync(1100);
    expect(last().readers).toHaveLength(2);
    last().beat();
    await vi.advanceTimersByTimeAsync(100);
    expect(points).toBe(2);
    await vi.advanceTimersByTimeAsync(5100);
    expect(link.state.problem?.raw).toBe("sh: 1: not allowed");
    expect(connections).toHaveLength(1);
  });

  test("is tried again after 1, 2, 4, 8, 15, 30 and 30 s, and from 1 s when it lasted", async () => {
    failures = Array(8).fill("unreachable");
    link.connect();
    await settle();
    expect(link.state).toMatchObject({ state: "offline", problem: { code: "unreachable" } });
    expect(Date.parse(link.state.retryAt!) - Date.now()).toBe(1000);
    const away = link.state.since;
    await vi.advanceTimersByTimeAsync(121_000);
    const waits = attempts.slice(1).map((at, i) => (at - attempts[i]!) / 1000);
    expect(waits).toEqual([1, 2, 4, 8, 15, 30, 30, 30]);
    expect(link.state.state).toBe("online");
    expect(states.at(-2)).toMatchObject({ state: "connecting", since: away });
    for (let second = 0; second < 6; second++) {
      last().beat();
      await vi.advanceTimersByTimeAsync(1000);
    }
    last().lose();
    await settle();
    expect(link.state).toMatchObject({ state: "offline", problem: { code: "connection-lost" } });
    expect(Date.parse(link.state.retryAt!) - Date.now()).toBe(1000);
    expect(link.connection).toBeUndefined();
  });

  test("a connection that is lost at once does not begin the waits anew", async () => {
    link.connect();
    for (let i = 0; i < 3; i++) {
      await settle();
      last().lose();
      await settle();
      await vi.advanceTimersByTimeAsync(Date.parse(link.state.retryAt!) - Date.now());
    }
    expect(attempts.slice(1).map((at, i) => at - attempts[i]!)).toEqual([1000, 2000, 4000]);
  });

  test.each<BoardProblemCode>([
    "sign-in-refused",
    "host-key-changed",
    "host-key-revoked",
    "secret-missing",
    "passphrase-wrong",
    "no-agent",
  ])("%s locks it until a person goes on", async (code) => {
    failures = [code];
    const waiting = link
      .online(new AbortController().signal)
      .catch((error: BoardError) => error.problem.code);
    link.connect();
    expect(await waiting).toBe(code);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(attempts).toHaveLength(1);
    expect(link.state).toMatchObject({ state: "locked", problem: { code } });
    link.connect();
    await settle();
    expect(link.state.state).toBe("online");
  });

  test("a board that let us in before may refuse while it starts, but not for ever", async () => {
    link.connect();
    await settle();
    last().lose();
    failures = ["sign-in-refused", "sign-in-refused"];
    await vi.advanceTimersByTimeAsync(8000);
    expect(link.state.state).toBe("online");
    failures = Array(9).fill("sign-in-refused");
    last().lose();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(link.state.state).toBe("locked");
    expect(failures).toHaveLength(3);
  });

  test("connect does not wait for the back-off", async () => {
    failures = ["refused", "refused", "refused"];
    link.connect();
    await vi.advanceTimersByTimeAsync(3500);
    expect(attempts).toHaveLength(3);
    link.connect();
    await settle();
    expect(link.state.state).toBe("online");
  });

  test("disconnect ends it and is quiet from then on", async () => {
    link.connect();
    await settle();
    const connection = last();
    await link.disconnect();
    expect(connection.isClosed).toBe(true);
    expect(link.state).toMatchObject({ state: "offline" });
    expect(link.state.problem).toBeUndefined();
    failures = ["refused"];
    link.connect();
    await settle();
    await link.disconnect();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(attempts).toHaveLength(2);
    expect(link.state.retryAt).toBeUndefined();
    await expect(link.online(AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  });

  test("an attempt that comes to an end after disconnect is ended itself", async () => {
    link.connect();
    await link.disconnect();
    await settle();
    expect(last().isClosed).toBe(true);
    expect(link.state.state).toBe("offline");
  });
});

describe.skipIf(skip(NO_NAMESPACE))(named("a link to a real board", NO_NAMESPACE), () => {
  let sshd: Sshd;
  let lab: ReturnType<typeof createSshLab>;
  let link: BoardLink;
  const become = (wanted: LinkState["state"], withinMs: number) =>
    new Promise<LinkState>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`not ${wanted} after ${withinMs} ms but ${JSON.stringify(link.state)}`)),
        withinMs,
      );
      const look = (): void => {
        if (link.state.state !== wanted) return;
        clearTimeout(timer);
        stop();
        resolve(link.state);
      };
      const stop = link.onChange(look);
      look();
    });
  beforeEach(async () => {
    sshd = await startSshd({ namespace: true, users: [{ password: "pw-of-test" }] });
    lab = createSshLab();
    const pinned = await lab.trust(targetOf(sshd));
    link = createBoardLink({
      connect: (signal) =>
        lab.ssh.connect(targetOf(sshd), { kind: "password", password: "pw-of-test" }, { pinned, signal }),
      pulse: PULSE,
      onPulse: () => {},
    });
    link.connect();
    await become("online", 5000);
    return async () => {
      await link.disconnect();
      lab.close();
      await sshd.close();
    };
  });

  test("a link that is cut for 10 s is noticed within 10 s, and the same connection goes on", async () => {
    const connection = link.connection;
    await sshd.cut();
    const silent = await become("silent", 10_000);
    expect(silent.problem).toMatchObject({ code: "no-answer" });
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await sshd.heal();
    await become("online", 20_000);
    expect(link.connection).toBe(connection);
  });

  test("a session that is killed is noticed within a second, and made again", async () => {
    const { connection } = link;
    await sshd.killSessions();
    const offline = await become("offline", 1000);
    expect(offline.problem?.code).toBe("connection-lost");
    await become("online", 5000);
    expect(link.connection).not.toBe(connection);
  });

  test("an SSH server that restarts keeps who is there; one with another key locks the board", async () => {
    const { connection } = link;
    await sshd.restart();
    expect((await connection!.run("echo still")).stdout).toBe("still\n");
    await sshd.replaceHostKey("ecdsa");
    await sshd.killSessions();
    const locked = await become("locked", 5000);
    expect(locked.problem?.code).toBe("host-key-changed");
    expect(locked.problem?.cause).toContain(sshd.fingerprint);
  });
});
