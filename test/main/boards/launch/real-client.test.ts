import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Recipe } from "#contract/jobs.ts";
import { type Aggregator, createAggregator, type Session } from "#main/aggregator/aggregator.ts";
import type { PartFiles } from "#main/boards/board-ports.ts";
import { loadDataset } from "#main/datasets/datasets.ts";
import { writePart } from "#main/datasets/part-files.ts";
import { initialWeights } from "#main/learning/models/models.ts";
import { fitConfig } from "#main/runs/instructions.ts";
import { joinRaw } from "#test/main/aggregator/raw-client.ts";
import { named, skip } from "#test/main/boards/ssh/ssh-lab.ts";
import { temporaryFolder } from "#test/main/store/samples.ts";
import { type Dockerd, startDockerd } from "#test/setup/docker.ts";
import { canMakeBoards } from "#test/setup/test-boards.ts";
import { createLaunchLab, type Kept, type LaunchLab, until } from "./launch-lab.ts";

const NO_BOARDS = canMakeBoards();
const sample = {
  name: "fashion-mnist-sample",
  format: "fashion-mnist-sample-idx",
  path: fileURLToPath(new URL("../../../../resources/data/fashion-mnist-sample", import.meta.url)),
};
const recipe: Recipe = {
  round: 1,
  run: "r1",
  model: "Net",
  numClasses: 10,
  localEpochs: 1,
  batchSize: 10,
  optimizer: { kind: "sgd", lr: 0.05, momentum: 0, nesterov: false, weightDecay: 0 },
  loss: { kind: "ce" },
  feature: { kind: "plain" },
  seed: 7,
  keeps: [],
  keptFrom: 0,
  initSeed: 1,
};

describe.skipIf(skip(NO_BOARDS))(named("the client itself, in a container on a board", NO_BOARDS), () => {
  let engine: Dockerd;
  let lab: LaunchLab;
  let image: string;
  let part: PartFiles;
  const local = temporaryFolder();
  const open: { aggregator: Aggregator; kept: Kept }[] = [];
  beforeAll(async () => {
    engine = await startDockerd();
    image = await engine.loadClient();
    lab = await createLaunchLab({ engine });
    const range = (count: number) => Array.from({ length: count }, (_, i) => i);
    part = await writePart(await loadDataset(sample), { train: range(400), test: range(50) }, local.path);
  }, 600_000);
  afterAll(async () => {
    await lab?.close();
    await engine?.close();
    local.remove();
  });
  afterEach(async () => {
    for (const { aggregator, kept } of open.splice(0)) {
      await aggregator.close({ deadlineMs: 0 });
      await kept.client.stop(false);
      expect(kept.bugs).toEqual([]);
    }
    expect(await lab.board.containers()).toEqual([]);
  });

  const serve = (options: Partial<Parameters<LaunchLab["keep"]>[0]> = {}, at: LaunchLab = lab) => {
    const left: string[] = [];
    const aggregator = createAggregator({
      emit: (event) => {
        if (event.kind === "device-left") left.push(event.reason);
      },
      admission: { kind: "allow", addresses: [] },
    });
    const kept = at.keep({
      image: () => image,
      part: async () => part,
      accept: (channel, how) => aggregator.accept(channel, "pi-1", how),
      timing: { backOffMs: [300] },
      ...options,
    });
    open.push({ aggregator, kept });
    const joined = async (): Promise<Session> => {
      await until("it joined", () => aggregator.sessions().length === 1, 60_000).catch((error) => {
        throw new Error(`${error.message}\n${kept.lines.map(({ text }) => text).join("\n")}`);
      });
      return aggregator.sessions()[0]!;
    };
    return { aggregator, kept, joined, left };
  };
  const train = (session: Session, more: Partial<Recipe> = {}) => {
    const parameters = initialWeights("Net", 10, 1);
    return session.request({ kind: "fit", parameters, config: fitConfig({ ...recipe, ...more }) });
  };
  const spoke = (kept: Kept) => kept.lines.map(({ text }) => text).join("\n");

  test("trains over a socket without any network, and leaves when it is sent away", async () => {
    const { aggregator, kept, joined } = serve();
    const result = await train(await joined());
    if (!result.ok) throw new Error(`${result.failure.cause}\n${spoke(kept)}`);
    expect(result.value.message).toMatchObject({ kind: "fit", examples: 400 });
    result.value.release();
    await until("its progress is known", () => kept.progress.at(-1)?.fraction === 1);
    expect(kept.progress.at(-1)).toMatchObject({ run: "r1", round: 1 });
    expect(kept.lines[0]!.text).toMatch(/^sent \d\.\d MB of data in \d+\.\d s$/);
    const [name] = await lab.board.containers();
    expect(await lab.board.engine.docker("inspect", "--format", "{{.HostConfig.NetworkMode}}", name!)).toBe(
      "none",
    );
    await aggregator.close();
    await kept.client.stop(true);
    expect(spoke(kept)).toContain('"event": "stopped"');
    // Flower's lines without a word, and its colours, are not for the record.
    expect(kept.lines.filter(({ text }) => /^\w*\s*:?\s*$/.test(text))).toEqual([]);
    expect(spoke(kept)).not.toContain(String.fromCharCode(27));
    expect(await lab.board.containers()).toEqual([]);
    expect(readdirSync(lab.onBoard("run"))).toEqual([]);
    expect(kept.bugs).toEqual([]);
  });

  test("its session is killed while it trains: the request fails at once, and it is back by the next", async () => {
    const { kept, joined } = serve();
    const training = train(await joined(), { localEpochs: 2000 });
    await until("it trains", () => kept.progress.length > 0);
    const killed = performance.now();
    await lab.board.sshd.killSessions();
    expect(await training).toMatchObject({ ok: false, failure: { code: "connection-lost", device: "pi-1" } });
    expect(performance.now() - killed).toBeLessThan(1000);
    const again = await train(await joined());
    expect(again.ok).toBe(true);
    if (again.ok) again.value.release();
    expect(await lab.board.containers()).toHaveLength(1);
  });

  test("its session is killed while the weights are on their way to it", async () => {
    const { joined } = serve();
    const session = await joined();
    const bytes = new Uint8Array(100_000_000);
    const tensor = { dtype: "float32" as const, shape: [25_000_000], bytes };
    const sending = session.request({ kind: "fit", parameters: [tensor], config: fitConfig(recipe) });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const killed = performance.now();
    await lab.board.sshd.killSessions();
    expect(await sending).toMatchObject({ ok: false, failure: { code: "connection-lost" } });
    expect(performance.now() - killed).toBeLessThan(1000);
    await joined();
  });

  test("damaged data are named, sent anew, and read", async () => {
    const { kept, joined } = serve();
    await joined();
    const images = part.files[0]!;
    const path = lab.onBoard("data", `${images.sha256}.npy`);
    writeFileSync(path, Buffer.alloc(images.bytes, readFileSync(path).subarray(0, 128)));
    await lab.board.engine.docker("kill", kept.client.view().container!);
    const codes = () => kept.events.flatMap(({ problem }) => (problem === undefined ? [] : [problem.code]));
    await until("it is named", () => codes().length === 2, 60_000);
    expect(codes()).toEqual(["client-killed", "data-damaged"]);
    await until("it runs again", () => kept.client.view().restarts === 2, 60_000);
    await joined();
    expect(readFileSync(path).equals(readFileSync(images.path))).toBe(true);
  });

  test("missing data and a wrong configuration are named", async () => {
    const connection = await lab.now();
    await connection.run("rm -f .fedfleet/data/*.npy");
    const empty = serve({ part: async () => ({ ...part, files: [] }) });
    await until("it ended", () => empty.kept.client.view().problem !== undefined, 60_000);
    expect(empty.kept.client.view()).toMatchObject({ exitCode: 10, problem: { code: "data-missing" } });
    await empty.kept.client.stop(false);
    const wrong = serve({ serverArguments: ["--cid", "pi-1", "--model", "Nut"] });
    await until("it is given up", () => wrong.kept.client.view().state === "exited", 60_000);
    expect(wrong.kept.client.view()).toMatchObject({
      exitCode: 2,
      problem: { code: "bad-configuration", cause: expect.stringMatching(/Nut/) },
    });
  });

  test("where no sockets are forwarded it joins with its token; a stranger on the board's port is nobody", async () => {
    const other = await createLaunchLab({ engine, config: ["AllowStreamLocalForwarding local"] });
    try {
      const { aggregator, kept, joined } = serve({}, other);
      const session = await joined();
      const [name] = await other.board.containers();
      const command = await engine.docker("inspect", "--format", "{{json .Config.Cmd}}", name!);
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(command)?.[1]);
      const stranger = joinRaw(0, {
        session: connectHttp2("http://board", { createConnection: () => connect(port, "127.0.0.1") }),
        headers: { "fedfleet-token": "guess" },
      });
      expect((await stranger.ended).status).toBe(7);
      stranger.close();
      expect(aggregator.sessions()).toEqual([session]);
      await aggregator.close();
      await kept.client.stop(true);
    } finally {
      await other.close();
    }
  });
});
