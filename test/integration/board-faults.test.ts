import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabEvent } from "#contract/events.ts";
import { openRealLab, type RealLab, smallStudy, until } from "#test/main/hosts/page-api/open-page-lab.ts";
import { temporaryFolder } from "#test/main/store/samples.ts";
import { type Dockerd, startDockerd } from "#test/setup/docker.ts";
import { canMakeBoards, startTestBoard, type TestBoard } from "#test/setup/test-boards.ts";

const why = canMakeBoards({ namespace: true });
const CUT_MS = 20_000;
/** What happens to a board is said within so long. */
const SAID_MS = 10_000;
const LONG_MS = 400_000;

/** Each board suffers something else, in the same study: together they take as long as one. */
const NAMES = ["download", "training", "upload", "evaluating", "between", "killed", "session"] as const;
type Name = (typeof NAMES)[number];

describe.skipIf(why !== undefined)(`what happens to boards in a study${why ? ` (${why})` : ""}`, () => {
  const folder = temporaryFolder();
  const boards = {} as Record<Name, TestBoard>;
  let engine: Dockerd;
  let real: RealLab;
  const events: (LabEvent & { readonly heard: number })[] = [];
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    engine = await startDockerd();
    closers.push(engine.close);
    await engine.loadClient();
    real = openRealLab(folder.path);
    closers.push(real.close);
    real.lab.subscribe((event) => events.push({ ...event, heard: performance.now() }));
    for (const name of NAMES) {
      const board = await startTestBoard({ namespace: true, engine });
      boards[name] = board;
      closers.push(board.close);
      const { target } = board;
      const { host, port, key } = await real.client.boards.reach({ target });
      await real.client.boards.trust({ host, port, fingerprint: key.fingerprint });
      const signIn = { kind: "password", password: board.password } as const;
      await real.client.boards.add({ name, target, signIn, installKey: true });
      await real.client.boards.provision({ name });
    }
    for (const name of NAMES)
      await vi.waitFor(async () => expect((await real.client.boards.get({ name })).setup).toBe("ready"), {
        timeout: 60_000,
        interval: 200,
      });
  }, 180_000);
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
    folder.remove();
  }, 120_000);

  const rounds = () => events.flatMap((event) => (event.kind === "round-ended" ? event.result : []));
  const heardOf = (device: string, since: number) =>
    events.filter(
      (event) =>
        (event.kind === "board-state" || event.kind === "board-client") &&
        event.device === device &&
        event.heard >= since,
    );
  /** When something happened to a board, and after which round. */
  const struck = new Map<Name | "engine", { at: number; round: number; run: string }>();
  const strike = (name: Name | "engine", how: () => Promise<unknown>): void => {
    if (struck.has(name)) return;
    const last = rounds().at(-1);
    struck.set(name, { at: performance.now(), round: last?.round ?? 0, run: "" });
    void how();
  };
  const cut = (name: Name) =>
    strike(name, async () => {
      await boards[name].sshd.cut();
      await wait(CUT_MS);
      await boards[name].sshd.heal();
    });

  test(
    "cut for 20 s in every phase, killed, its session killed, the engine restarted: the study is done, and says why",
    async () => {
      // from the third round on: everybody has been there once
      const IN_ROUND = 3;
      let round = 0;
      real.lab.subscribe((event) => {
        if (event.kind === "round-started") round = event.round;
        if (event.kind === "round-ended" && event.result.round === IN_ROUND - 1) cut("between");
        if (round !== IN_ROUND) return;
        if (event.kind === "round-started") {
          cut("download");
          strike("session", () => boards.session.sshd.killSessions());
        }
        if (event.kind === "client-progress" && event.device === "training" && event.phase === "training")
          cut("training");
        if (event.kind === "client-progress" && event.device === "upload" && event.phase === "uploading")
          cut("upload");
        if (event.kind === "client-progress" && event.device === "killed" && event.phase === "training")
          strike("killed", async () => {
            const all = await engine.docker("ps", "--quiet", "--filter", "label=org.fedfleet.device=killed");
            await engine.docker("kill", all.split("\n")[0]!);
          });
        if (event.kind === "client-update" && event.update.device === "virtual-1") cut("evaluating");
      });
      await real.client.studies.start({
        study: smallStudy({
          name: "faults",
          fleet: { virtual: 1, devices: [...NAMES] },
          rounds: 12,
          localEpochs: 4,
          batchSize: 20,
          evaluation: { central: true, federated: true },
        }),
      });
      await until(() => rounds().some((result) => result.round === IN_ROUND + 2), LONG_MS);
      strike("engine", () => engine.restart());
      await until(
        () =>
          events.some(({ kind }) => kind === "study-ended") && real.pageLab.activity().study === undefined,
        LONG_MS,
      );
      expect(events.find(({ kind }) => kind === "study-ended")).toMatchObject({ status: "done" });
      expect([...struck.keys()].sort()).toEqual([...NAMES, "engine"].sort());
      expect(rounds().at(-1)).toMatchObject({ round: 12 });
      // Who was cut off for 20 s is said to be silent within ten, and its cause is named.
      for (const name of ["download", "training", "upload", "evaluating", "between"] as const) {
        const { at } = struck.get(name)!;
        const first = heardOf(name, at).find(
          (event) => event.kind === "board-state" && event.state !== "online",
        );
        expect(first, name).toMatchObject({ kind: "board-state", problem: { title: expect.any(String) } });
        expect(first!.heard - at, name).toBeLessThan(SAID_MS);
      }
      const killed = heardOf("killed", struck.get("killed")!.at).find(
        (event) => event.kind === "board-client" && event.state === "ended",
      );
      expect(killed).toMatchObject({ exitCode: 137, problem: { code: "client-killed" } });
      expect(killed!.heard - struck.get("killed")!.at).toBeLessThan(SAID_MS);
      const session = heardOf("session", struck.get("session")!.at)[0];
      expect(session).toMatchObject({ kind: "board-state", problem: { code: "connection-lost" } });
      expect(session!.heard - struck.get("session")!.at).toBeLessThan(SAID_MS);
      for (const name of NAMES) {
        const ended = heardOf(name, struck.get("engine")!.at).find(
          (event) => event.kind === "board-client" && event.state === "ended",
        );
        expect(ended, name).toMatchObject({ problem: { title: expect.any(String) } });
        expect(ended!.heard - struck.get("engine")!.at, name).toBeLessThan(SAID_MS);
      }
      // Each is back: in the last round all of them trained.
      expect(rounds().at(-1)!.clients).toEqual([...NAMES, "virtual-1"].sort());
      // A failure of a round names its cause.
      for (const failure of rounds().flatMap(({ failures }) => failures)) {
        expect(failure.device).toBeDefined();
        expect(failure.cause.length).toBeGreaterThan(20);
      }
      expect(await boards.killed.containers()).toEqual([]);
      expect(real.bugs).toEqual([]);
    },
    LONG_MS * 2,
  );
});
