import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BoardView } from "#contract/boards.ts";
import type { LabEvent } from "#contract/events.ts";
import { openRealLab, type RealLab, smallStudy, until } from "#test/main/hosts/page-api/open-page-lab.ts";
import { temporaryFolder } from "#test/main/store/samples.ts";
import { buildEnvironment } from "#test/setup/docker.ts";
import { canMakeBoards, startTestBoard, type TestBoard } from "#test/setup/test-boards.ts";

const why = canMakeBoards();
const STUDY_MS = 300_000;

/** From an account with a password and no key to a table, and back to a board that has nothing of the lab. */
describe.skipIf(why !== undefined)(`boards, from a password to a table${why ? ` (${why})` : ""}`, () => {
  const folder = temporaryFolder();
  let boards: Record<"kitchen" | "attic", TestBoard>;
  let real: RealLab;
  const events: LabEvent[] = [];
  let study = "";

  beforeAll(async () => {
    const kitchen = await startTestBoard();
    boards = { kitchen, attic: await startTestBoard({ engine: kitchen.engine }) };
    await kitchen.engine.loadBase();
    const { extraCa } = buildEnvironment();
    if (extraCa !== undefined) process.env.FEDFLEET_EXTRA_CA = extraCa;
    real = openRealLab(folder.path);
    real.lab.subscribe((event) => events.push(event));
  }, 120_000);
  afterAll(async () => {
    await real?.close();
    await boards?.attic.close();
    await boards?.kitchen.close();
    folder.remove();
  }, 60_000);

  const view = (name: string): Promise<BoardView> => real.client.boards.get({ name });
  const authorizedKeys = (board: TestBoard): string => {
    const file = join(board.account.home, ".ssh", "authorized_keys");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };

  test("a fingerprint, a password: the board is on the list, and the password is forgotten", async () => {
    for (const [name, board] of Object.entries(boards)) {
      const { target } = board;
      const reached = await real.client.boards.reach({ target });
      expect(reached).toMatchObject({
        trust: "new",
        isJump: false,
        key: { fingerprint: board.sshd.fingerprint },
      });
      const signIn = { kind: "password", password: board.password } as const;
      await expect(real.client.boards.add({ name, target, signIn, installKey: true })).rejects.toMatchObject({
        data: { board: { code: "host-key-new" } },
      });
      const { host, port, key } = reached;
      await real.client.boards.trust({ host, port, fingerprint: key.fingerprint });
      const added = await real.client.boards.add({ name, target, signIn, installKey: true });
      expect(added).toMatchObject({
        name,
        signIn: "lab-key",
        state: "online",
        setup: "needed",
        hostKey: { fingerprint: board.sshd.fingerprint },
        facts: { arch: "x86-64", docker: { state: "ready", socket: board.engine.socket } },
      });
      expect(authorizedKeys(board)).toMatch(/ssh-ed25519 .*fedfleet/);
    }
    const files = readdirSync(folder.path, { recursive: true, encoding: "utf8" });
    for (const file of files.filter((one) => /\.(json|db|db-wal)$|known_hosts/.test(one))) {
      const text = readFileSync(join(folder.path, file), "latin1");
      for (const { password } of Object.values(boards)) expect(text).not.toContain(password);
    }
  }, 60_000);

  test(
    "the image is built, once, with its progress shown; then both boards are ready",
    async () => {
      const fractions = new Set<number>();
      const unsubscribe = real.lab.boards.onNotice((notice) => {
        if (notice.kind === "board-step" && notice.step.id === "image" && notice.step.fraction !== undefined)
          fractions.add(notice.step.fraction);
      });
      for (const name of Object.keys(boards)) {
        // Both are accounts on one machine: what was built for the first is there for the second.
        const { plan } = await real.client.boards.probe({ name });
        const open = plan!.steps
          .filter(({ state }) => state === "open" || state === "blocked")
          .map(({ id }) => id);
        expect(open).toEqual(name === "kitchen" ? ["image", "self-test"] : ["self-test"]);
        await real.client.boards.provision({ name });
        await expect
          .poll(async () => (await view(name)).setup, { timeout: STUDY_MS, interval: 300 })
          .not.toBe("running");
        const { plan: done, setup, image } = await view(name);
        expect(done?.steps.filter(({ state }) => state === "failed")).toEqual([]);
        expect({ setup, image }).toMatchObject({
          setup: "ready",
          image: expect.stringContaining("fedfleet-client"),
        });
      }
      unsubscribe();
      expect(fractions.size).toBeGreaterThan(5);
    },
    STUDY_MS,
  );

  test(
    "two boards and two virtual devices train three rounds of fedavg, fedntd, fedexp and fedfn",
    async () => {
      const started = await real.client.studies.start({
        study: smallStudy({
          name: "boards",
          algorithms: ["fedavg", "fedntd", "fedexp", "fedfn"],
          fleet: { virtual: 2, devices: ["kitchen", "attic"] },
          rounds: 3,
          batchSize: 50,
          evaluation: { central: true, federated: true },
        }),
      });
      study = started.study;
      let listening: string[] = [];
      await until(() => {
        const ended = events.find((event) => event.kind === "study-ended");
        if (events.some(({ kind }) => kind === "client-update") && listening.length === 0)
          listening = listenersOf(process.pid);
        return ended !== undefined && real.pageLab.activity().study === undefined;
      }, STUDY_MS);
      expect(events.find((event) => event.kind === "study-ended")).toMatchObject({ status: "done" });
      const rounds = events.flatMap((event) => (event.kind === "round-ended" ? event.result : []));
      const trained = rounds.filter(({ round }) => round > 0);
      expect(trained).toHaveLength(12);
      const recorded = real.lab.store.runs
        .of(study)
        .flatMap(({ id }) => real.lab.store.rounds.of(id).filter(({ round }) => round > 0));
      expect(recorded.map(({ updates: _, evaluations: __, ...summary }) => summary)).toEqual(trained);
      for (const { clients, failures, evaluations, metrics } of recorded) {
        expect(failures).toEqual([]);
        expect(clients).toEqual(["attic", "kitchen", "virtual-1", "virtual-2"]);
        expect(evaluations.map(({ device }) => device)).toEqual(clients);
        expect(metrics.accuracy).toBeGreaterThan(0.1);
      }
      // What boards print, and their progress within a round, is shown and kept.
      const progress = events.filter(
        (event) => event.kind === "client-progress" && event.device === "kitchen",
      );
      expect(progress.length).toBeGreaterThan(6);
      const { lines } = await real.client.boards.logs({ name: "kitchen", search: "round" });
      expect(lines.length).toBeGreaterThan(0);
      expect((await view("kitchen")).history.length).toBeGreaterThan(0);
      // The lab listens on loopback alone, and its boards reached it without any port of theirs.
      expect(listening.length).toBeGreaterThan(0);
      expect(listening.filter((address) => !/^(127\.0\.0\.1|\[::1\]):\d+$/.test(address))).toEqual([]);
      const table = await real.client.reports.compare({ studies: [study] });
      expect(table.rows.map(({ algorithm, n }) => [algorithm, n])).toEqual([
        ["fedavg", 1],
        ["fedntd", 1],
        ["fedexp", 1],
        ["fedfn", 1],
      ]);
    },
    STUDY_MS,
  );

  test("after it, no container is left; with the study go its data; with the board all that the lab put there", async () => {
    const { kitchen } = boards;
    expect(await kitchen.containers()).toEqual([]);
    const data = () => {
      const root = join(kitchen.account.home, ".fedfleet");
      return existsSync(root)
        ? readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
            /\.(npy|json)$/.test(file),
          )
        : [];
    };
    expect(data().length).toBeGreaterThan(4);
    await real.client.studies.remove({ study });
    await until(() => data().length === 0);
    for (const name of ["attic", "kitchen"] as const) {
      expect(await real.client.boards.remove({ name, cleanUp: true })).toEqual({ removed: true });
    }
    expect(await kitchen.images()).toEqual([]);
    for (const board of Object.values(boards)) {
      expect(authorizedKeys(board)).not.toContain("fedfleet");
      expect(existsSync(join(board.account.home, ".fedfleet"))).toBe(false);
    }
    const { devices } = await real.client.fleet.view();
    expect(devices.filter(({ kind }) => kind !== "virtual")).toEqual([]);
    expect(real.bugs).toEqual([]);
  }, 60_000);
});

/** What a process and its children listen on: `address:port`. */
const listenersOf = (pid: number): string[] => {
  const children = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const ours = new Set([pid]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [child = -1, parent = -1] of children) {
      if (ours.has(parent) && !ours.has(child)) {
        ours.add(child);
        grown = true;
      }
    }
  }
  return execFileSync("ss", ["-ltnpH"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => [...line.matchAll(/pid=(\d+)/g)].some(([, owner]) => ours.has(Number(owner))))
    .filter((line) => !/"sshd"|dockerd|containerd/.test(line))
    .map((line) => line.split(/\s+/)[3]!);
};
