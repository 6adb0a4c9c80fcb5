import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DirectClient, type ServedLab, serveLab } from "#test/e2e/served-lab.ts";
import { until } from "#test/main/boards/launch/launch-lab.ts";
import { named, skip } from "#test/main/boards/ssh/ssh-lab.ts";
import { smallStudy } from "#test/main/hosts/page-api/open-page-lab.ts";
import { canMakeBoards, startTestBoard, type TestBoard } from "#test/setup/test-boards.ts";

const NO_BOARDS = canMakeBoards();
const ROUNDS = 10;

/** What runs on a board belongs to the lab that has started it, also to the next process of that lab. */
describe.skipIf(skip(NO_BOARDS))(named("a lab that ends in the middle of a study", NO_BOARDS), () => {
  let board: TestBoard;
  let lab: ServedLab;
  let direct: DirectClient;
  let study = "";

  beforeAll(async () => {
    board = await startTestBoard();
    await board.engine.loadClient();
    lab = await serveLab();
    direct = await lab.client();
    const { ask } = direct;
    // Else the next process would have no key to sign in with.
    expect(await ask.boards.keepSecretsInFile({ keep: true })).toMatchObject({ kept: "file" });
    const { target } = board;
    const { host, port, key } = await ask.boards.reach({ target });
    await ask.boards.trust({ host, port, fingerprint: key.fingerprint });
    const signIn = { kind: "password", password: board.password } as const;
    await ask.boards.add({ name: "kitchen", target, signIn, installKey: true });
    await ask.boards.provision({ name: "kitchen" });
    await until("it is set up", async () => (await view()).setup === "ready", 60_000);
  }, 180_000);
  afterAll(async () => {
    direct?.close();
    await lab?.remove();
    await board?.close();
  }, 60_000);

  const view = () => direct.ask.boards.get({ name: "kitchen" });
  const recorded = async () => (await direct.ask.studies.get({ study })).study;
  const roundsDone = async (): Promise<number> => (await recorded()).curves[0]?.round.length ?? 0;
  const docker = (...args: string[]) => board.engine.docker(...args);
  const sockets = () => join(board.account.home, ".fedfleet/run", study, "s:1");
  const isUp = async (name: string) => (await docker("ps", "--format", "{{.Names}}")).includes(name);
  const trains = async (after: number): Promise<void> => {
    await until("it trains", async () => (await view()).client?.state === "running", 30_000);
    await until("rounds are recorded", async () => (await roundsDone()) > after, 30_000);
  };
  /** The same directory and port, in a new process. */
  const openAgain = async (): Promise<void> => {
    direct.close();
    lab = await lab.again();
    direct = await lab.client();
    await until("it is connected", async () => (await view()).state === "online", 20_000);
  };

  test("killed: its container has its labels, and goes when the lab is back; the study goes on", async () => {
    const labels = ["lab=another", "study=s", "device=kitchen"].flatMap((one) => [
      "--label",
      `org.fedfleet.${one}`,
    ]);
    await docker(
      "run",
      "--detach",
      "--network=none",
      "--name=strangers",
      ...labels,
      "--entrypoint=sleep",
      (await board.images())[0]!,
      "600",
    );
    ({ study } = await direct.ask.studies.start({
      study: smallStudy({ fleet: { virtual: 1, devices: ["kitchen"] }, rounds: ROUNDS, localEpochs: 2 }),
    }));
    await trains(1);
    expect(statSync(sockets()).isSocket()).toBe(true);
    const { container = "" } = (await view()).client ?? {};
    await lab.kill();
    expect((await board.containers()).sort()).toEqual([container, "strangers"].sort());
    const all = await docker("ps", "--all", "--quiet");
    const labelled = await docker("ps", "--all", "--quiet", "--filter", "label=org.fedfleet.lab");
    expect(labelled).toBe(all);
    const owner = JSON.parse(await docker("inspect", "--format", "{{json .Config.Labels}}", container));
    expect(owner).toMatchObject({ "org.fedfleet.study": study, "org.fedfleet.device": "kitchen" });

    await openAgain();
    expect(await recorded()).toMatchObject({ status: "interrupted" });
    await until("nothing of it is left", async () => !(await board.containers()).includes(container), 10_000);
    await until("nor its socket", () => !existsSync(sockets()), 10_000);
    expect(await isUp("strangers")).toBe(true);
    const before = await roundsDone();
    await direct.ask.studies.resume({ study });
    await trains(before);
    expect((await board.containers()).length).toBe(2);
  }, 120_000);

  test("resumed while the new process is only tidying up: what it starts is not tidied away", async () => {
    await lab.kill();
    direct.close();
    lab = await lab.again();
    direct = await lab.client();
    const before = await roundsDone();
    await direct.ask.studies.resume({ study });
    await trains(before);
    expect(statSync(sockets()).isSocket()).toBe(true);
    expect((await view()).client).toMatchObject({ state: "running", restarts: 0 });
    expect((await board.containers()).length).toBe(2);
  }, 120_000);

  test("closed: nothing of it is left on the board; opened again, the study ends done", async () => {
    expect(await lab.interrupt()).toBe(130);
    expect(await board.containers()).toEqual(["strangers"]);
    expect(existsSync(sockets())).toBe(false);
    await openAgain();
    await direct.ask.studies.resume({ study });
    await until("it is over", async () => (await recorded()).status === "done", 60_000);
    expect(await roundsDone()).toBeGreaterThanOrEqual(ROUNDS);
    await until("its client is gone", async () => (await view()).client === undefined, 10_000);
    expect(await board.containers()).toEqual(["strangers"]);
    const lost = (await recorded()).log.filter(
      ({ event }) => event.kind === "board-client" && event.state === "ended",
    );
    expect(lost).toEqual([]);
    expect(lab.said()).not.toMatch(/^\s+at /m);
  }, 120_000);
});
