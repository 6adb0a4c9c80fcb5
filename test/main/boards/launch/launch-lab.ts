import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import type { BoardFacts, ClientView } from "#contract/boards.ts";
import type { LabEventBody } from "#contract/events.ts";
import type { BoardLink, PartFiles, SshConnection } from "#main/boards/board-ports.ts";
import { createEngine } from "#main/boards/docker/engine.ts";
import { keepClient } from "#main/boards/launch/keep-client.ts";
import type { KeepClientOptions, KeptClient } from "#main/boards/launch/kept-client.ts";
import { probeBoard } from "#main/boards/probe/probe-board.ts";
import { createBoardLink } from "#main/boards/ssh/board-link.ts";
import { createPulse } from "#main/boards/telemetry/pulse.ts";
import { createSshLab } from "#test/main/boards/ssh/ssh-lab.ts";
import type { Dockerd } from "#test/setup/docker.ts";
import { startTestBoard, type TestBoard, type TestBoardOptions } from "#test/setup/test-boards.ts";

/** A stand-in for the client: it runs what a test has put into its state, then does nothing until it is ended. */
export const SHELL_IMAGE = "fedfleet-client:shell";
export const loadShellImage = async (engine: Dockerd): Promise<void> => {
  await engine.loadBase();
  const context = mkdtempSync(join(tmpdir(), "fedfleet-shell-"));
  try {
    writeFileSync(
      join(context, "client.sh"),
      '[ ! -e /fedfleet/state/do ] || . /fedfleet/state/do "$@"\nexec sleep 1000\n',
    );
    writeFileSync(
      join(context, "Dockerfile"),
      'FROM debian:bookworm-slim\nCOPY client.sh /client.sh\nENTRYPOINT ["sh", "/client.sh"]\n',
    );
    await engine.docker("build", "--quiet", "--network=none", "--tag", SHELL_IMAGE, context);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
};

export const until = async (what: string, holds: () => unknown, withinMs = 15_000): Promise<void> => {
  const begun = performance.now();
  while (!(await holds())) {
    if (performance.now() - begun > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await wait(20);
  }
};

export interface Line {
  readonly stream: string;
  readonly text: string;
}

export interface Kept {
  readonly client: KeptClient;
  readonly events: (LabEventBody & { kind: "board-client" })[];
  readonly views: ClientView[];
  readonly lines: Line[];
  readonly progress: { run: string; round: number; fraction: number }[];
  readonly channels: Duplex[];
  readonly bugs: unknown[];
  readonly cuts: () => number;
}

export type LaunchLab = Awaited<ReturnType<typeof createLaunchLab>>;

/** A board, a lab that is connected to it, and clients that it keeps there. */
export const createLaunchLab = async (options: TestBoardOptions = {}) => {
  const board: TestBoard = await startTestBoard(options);
  const ssh = createSshLab();
  await ssh.trust(board.target);
  const signIn = { kind: "password", password: board.password } as const;
  const connect = (signal?: AbortSignal): Promise<SshConnection> =>
    ssh.ssh.connect(board.target, signIn, signal === undefined ? {} : { signal });
  const link: BoardLink = createBoardLink({
    connect,
    pulse: createPulse(),
    onPulse: () => {},
    timing: { backOffMs: [200] },
  });
  link.connect();
  const connection = await link.online(AbortSignal.timeout(20_000));
  const facts: BoardFacts = await probeBoard(connection);
  const kept: KeptClient[] = [];
  const study = new AbortController();

  return {
    board,
    link,
    facts,
    connect,
    now: () => link.online(AbortSignal.timeout(20_000)),
    engineOf: (over: SshConnection) => createEngine(over, facts.docker.socket),
    onBoard: (...path: string[]) => join(board.account.home, ".fedfleet", ...path),
    /** What the stand-in does when it is started. */
    does(script: string, name = "s1"): void {
      const { home, uid, gid } = board.account;
      const folder = join(home, ".fedfleet/state", name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "do"), `${script}\n`);
      for (const path of [".fedfleet", ".fedfleet/state", `.fedfleet/state/${name}`]) {
        chownSync(join(home, path), uid, gid);
      }
    },
    keep(more: Partial<KeepClientOptions> = {}): Kept {
      const events: Kept["events"] = [];
      const views: ClientView[] = [];
      const lines: Line[] = [];
      const progress: Kept["progress"] = [];
      const channels: Duplex[] = [];
      const bugs: unknown[] = [];
      let cuts = 0;
      const client = keepClient({
        name: "pi-1",
        link,
        engineOf: (over) => createEngine(over, facts.docker.socket),
        facts: () => facts,
        image: () => SHELL_IMAGE,
        lab: "lab-of-test",
        study: "s1",
        run: "r1",
        batchSize: 50,
        part: async (): Promise<PartFiles> => ({ json: "{}", files: [] }),
        serverArguments: ["--cid", "pi-1", "--model", "Net"],
        accept: (channel) => {
          channel.on("error", () => {});
          channels.push(channel);
          return () => {
            cuts++;
            channel.destroy();
          };
        },
        onLine: (line) => lines.push(line),
        onProgress: (one) => progress.push(one),
        onClient: (view) => views.push(view),
        emit: (event) => {
          if (event.kind === "board-client") events.push(event);
        },
        onBug: (error) => bugs.push(error),
        signal: study.signal,
        timing: { backOffMs: [300, 600] },
        ...more,
      });
      kept.push(client);
      return { client, events, views, lines, progress, channels, bugs, cuts: () => cuts };
    },
    async close(): Promise<void> {
      study.abort();
      await Promise.all(kept.map((client) => client.stop(false)));
      await link.disconnect();
      ssh.close();
      await board.close();
    },
  };
};
