import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StudyInput } from "#contract/study.ts";
import { FLWR_VERSIONS, type FlwrVersion, pythonOf } from "#test/setup/flwr.ts";
import { documentOf, scratchFolder, startFedfleet, writeStudy } from "./command.ts";

const missing = FLWR_VERSIONS.filter((version) => !existsSync(pythonOf(version)));

let scratch: ReturnType<typeof scratchFolder>;
beforeAll(() => {
  scratch = scratchFolder();
});
afterAll(() => scratch.remove());

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });

const python = (file: string, args: readonly string[]): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...process.env, GRPC_VERBOSITY: "ERROR" } });
    let output = "";
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (output += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });

const client = (version: FlwrVersion, port: number, out: string, ...more: string[]) =>
  python(pythonOf(version), [
    "test/integration/torch_net_client.py",
    "--server",
    `127.0.0.1:${port}`,
    "--out",
    out,
    ...more,
  ]);

const study = (clients: number): StudyInput => ({
  name: "any Flower client",
  dataset: "fashion-mnist-sample",
  model: "Net",
  algorithms: ["fedavg"],
  fleet: { external: clients },
  rounds: 3,
  localEpochs: 2,
  batchSize: 20,
  optimizer: { lr: 0.05 },
  evaluation: { central: true, federated: true },
});

const start = async (input: StudyInput, name: string) => {
  const port = await freePort();
  const file = writeStudy(scratch.path, input, name);
  const dataDir = join(scratch.path, `${name}-lab`);
  const server = startFedfleet([
    "run",
    file,
    "--data-dir",
    dataDir,
    "--listen",
    `127.0.0.1:${port}`,
    "--json",
  ]);
  await server.said("waiting");
  return { server, port };
};

describe.skipIf(missing.length > 0 && process.env.CI !== "true")(
  `unmodified Flower clients${missing.length > 0 ? ` (missing: flwr ${missing.join(", ")}; run test/setup/install.sh)` : ""}`,
  { timeout: 480_000 },
  () => {
    test("0.19.0, 1.11.1 and 1.41.0 train a PyTorch Net together; they get numpy's weighted mean back", async () => {
      const { server, port } = await start(study(3), "mixed");
      const folders = FLWR_VERSIONS.map((version, i) => ({
        folder: join(scratch.path, `client-${version}`),
        examples: 100 + 50 * i,
        version,
      }));
      const clients = await Promise.all(
        folders.map(({ folder, examples, version }, i) =>
          client(version, port, folder, "--seed", String(i), "--examples", String(examples)),
        ),
      );
      const finished = await server.done;
      expect(finished.code, finished.stderr).toBe(0);
      // Told to leave, they end in peace.
      for (const c of clients) expect(c.code, c.output).toBe(0);
      const rounds = documentOf(finished).runs[0]!.rounds;
      expect(rounds.map((r) => r.clients)).toEqual(Array(3).fill(["external-1", "external-2", "external-3"]));
      expect(rounds.flatMap((r) => r.failures)).toEqual([]);
      const checked = await python(pythonOf("1.11.1"), [
        "test/integration/check_weighted_mean.py",
        "3",
        ...folders.map((f) => `${f.folder}:${f.examples}`),
      ]);
      expect(checked.output).toContain("equal");
      expect(checked.code).toBe(0);
    });

    test("two clients that read exactly the original configuration keys train with 0.19.0", async () => {
      const { server, port } = await start(study(2), "original");
      const clients = await Promise.all(
        [0, 1].map((i) =>
          client(
            "0.19.0",
            port,
            join(scratch.path, `original-${i}`),
            "--seed",
            String(i),
            "--keys",
            "original",
          ),
        ),
      );
      const finished = await server.done;
      expect(finished.code, finished.stderr).toBe(0);
      for (const c of clients) expect(c.code, c.output).toBe(0);
      const rounds = documentOf(finished).runs[0]!.rounds;
      expect(rounds.flatMap((r) => r.failures)).toEqual([]);
      expect(rounds.at(-1)!.clients).toHaveLength(2);
    });

    test("a study may leave the model to its clients, and mix them with virtual devices", async () => {
      const own = await start(
        {
          ...study(2),
          model: "from-client",
          dataset: "on-clients",
          evaluation: { central: false, federated: true },
        },
        "from-client",
      );
      await Promise.all(
        [0, 1].map((i) => client("1.11.1", own.port, join(scratch.path, `own-${i}`), "--seed", String(i))),
      );
      const finished = await own.server.done;
      expect(finished.code, finished.stderr).toBe(0);
      expect(documentOf(finished).runs[0]!.rounds.at(-1)!.accuracy).toBeGreaterThan(0.2);

      const mixed = await start({ ...study(1), fleet: { virtual: 2, external: 1 } }, "with-virtual");
      await client("1.11.1", mixed.port, join(scratch.path, "with-virtual"));
      const both = await mixed.server.done;
      expect(both.code, both.stderr).toBe(0);
      expect(documentOf(both).runs[0]!.rounds.at(-1)!.clients).toEqual([
        "external-1",
        "virtual-1",
        "virtual-2",
      ]);
    });
  },
);
