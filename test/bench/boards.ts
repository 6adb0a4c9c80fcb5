/**
 * How late the event loop of the lab is while 30 boards are signed in to and probed at once, and while all of them
 * tell of themselves. The boards are 30 accounts of a real SSH server on this computer. Since real boards have
 * processors of their own, they get half of this computer's and the lab the other half; what it is like when all of
 * them crowd together on all processors is shown beside it (Linux then gives the lab the share of one among 31).
 * Wants root, and test/setup/install.sh.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createTelemetry } from "#main/boards/board-telemetry.ts";
import { probeBoard } from "#main/boards/probe/probe-board.ts";
import { createBoardLink } from "#main/boards/ssh/board-link.ts";
import { openKnownHosts } from "#main/boards/ssh/known-hosts.ts";
import { createSsh } from "#main/boards/ssh/ssh.ts";
import { createPulse } from "#main/boards/telemetry/pulse.ts";
import { canRunSshd, startSshd } from "#test/setup/sshd.ts";
import type { Figure } from "./figure.ts";

const BOARDS = 30;
const STREAM_MS = 20_000;
const TARGET_MS = 30;
/** The histogram holds whole intervals between two of its ticks: this much of each is no delay. */
const TICK_MS = 1;

type Delay = ReturnType<typeof monitorEventLoopDelay>;

export const benchBoards = async (): Promise<Figure[]> => {
  const reason = canRunSshd();
  if (reason !== undefined) throw new Error(reason);
  const folder = mkdtempSync(join(tmpdir(), "fedfleet-bench-"));
  const key = join(folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const line = readFileSync(`${key}.pub`, "utf8");
  const sshd = await startSshd({ users: Array.from({ length: BOARDS }, () => ({ authorizedKeys: [line] })) });
  const ssh = createSsh({
    knownHosts: openKnownHosts(join(folder, "known_hosts")),
    labKey: {
      privateKey: () => Promise.reject(new Error("no lab key here")),
      exists: async () => false,
    },
    configPath: join(folder, "config"),
  });
  const told = new Map<string, number>();
  const telemetry = createTelemetry({ pass: () => {}, record: () => {}, tidy: () => {}, now: Date.now });
  const boards = sshd.users.map(({ name }) => ({
    name,
    link: createBoardLink({
      connect: (signal) =>
        ssh.connect(
          { host: sshd.host, port: sshd.port, user: name },
          { kind: "key", path: key },
          { pinned: { type: "ssh-ed25519", fingerprint: sshd.fingerprint }, signal },
        ),
      pulse: createPulse(),
      onPulse: (point) => {
        told.set(name, (told.get(name) ?? 0) + 1);
        telemetry.add(name, point);
      },
    }),
  }));
  const measure = async (work: () => Promise<void>): Promise<Delay & { seconds: number }> => {
    const delay = monitorEventLoopDelay({ resolution: TICK_MS });
    delay.enable();
    const began = performance.now();
    await work();
    delay.disable();
    return Object.assign(delay, { seconds: (performance.now() - began) / 1000 });
  };
  const probeAll = async (): Promise<void> => {
    const patience = AbortSignal.timeout(60_000);
    for (const { link } of boards) link.connect();
    const facts = await Promise.all(
      boards.map(async ({ link }) => await probeBoard(await link.online(patience))),
    );
    const users = new Set(facts.map(({ user, kernel }) => (kernel === "" ? "" : user)));
    if (users.size !== BOARDS || users.has("")) throw new Error("not every board was read");
  };
  const disconnectAll = async (): Promise<void> => {
    await Promise.all(boards.map(({ link }) => link.disconnect()));
  };
  const processors = availableParallelism();
  const half = Math.floor(processors / 2);
  const place = (boardsAt: string, labAt: string): void => {
    // Each process that the server starts from now on stays where the server is.
    const server = readFileSync(join(sshd.folder, "sshd.pid"), "utf8").trim();
    execFileSync("taskset", ["-pc", boardsAt, server]);
    execFileSync("taskset", ["-apc", labAt, `${process.pid}`]);
  };
  try {
    if (half > 0) place(`0-${half - 1}`, `${half}-${processors - 1}`);
    const probing = await measure(probeAll);
    for (const { link } of boards) link.readTelemetry(true);
    told.clear();
    const streaming = await measure(async () => {
      await after(STREAM_MS);
    });
    const least = Math.min(...boards.map(({ name }) => told.get(name) ?? 0));
    if (least < STREAM_MS / 1000 - 3) throw new Error(`a board told of itself ${least} times only`);
    const lines = [...told.values()].reduce((sum, count) => sum + count, 0);
    await disconnectAll();
    if (half > 0) place(`0-${processors - 1}`, `0-${processors - 1}`);
    const crowded = half > 0 ? await measure(probeAll) : undefined;
    const probed = (delay: { seconds: number }): string =>
      `${BOARDS} boards signed in to and probed at once in ${delay.seconds.toFixed(1)} s`;
    return [
      ...figures(probed(probing), probing, TARGET_MS),
      ...figures(
        `telemetry of ${BOARDS} boards, ${(lines / streaming.seconds).toFixed(0)} lines/s`,
        streaming,
        TARGET_MS,
      ),
      ...(crowded === undefined ? [] : figures(`${probed(crowded)}, on the lab's own processors`, crowded)),
    ];
  } finally {
    await disconnectAll();
    telemetry.close();
    await sshd.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

const figures = (what: string, delay: Delay, target?: number): Figure[] => {
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - TICK_MS);
  const p99 = late(delay.percentile(99));
  return [
    {
      name: `event loop late, p50, ${what}`,
      value: late(delay.percentile(50)),
      unit: "ms",
      target: "–",
      met: true,
    },
    {
      name: "… p99",
      value: p99,
      unit: "ms",
      target: target === undefined ? "–" : `< ${target} ms`,
      met: target === undefined || p99 < target,
    },
    { name: "… worst", value: late(delay.max), unit: "ms", target: "–", met: true },
  ];
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { renderFigures } = await import("./figure.ts");
  console.log(renderFigures(await benchBoards()));
}
