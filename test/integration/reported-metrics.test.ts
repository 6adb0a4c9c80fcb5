import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pythonOf } from "#test/setup/flwr.ts";
import { documentOf, scratchFolder, startFedfleet, writeStudy } from "./command.ts";

const VERSION = "1.11.1";
const isMissing = !existsSync(pythonOf(VERSION));

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

describe.skipIf(isMissing && process.env.CI !== "true")(
  `a Flower client's own metrics${isMissing ? ` (flwr ${VERSION} is missing; run test/setup/install.sh)` : ""}`,
  () => {
    test("are curves, columns and stop targets; what is no metric is refused by name, once", async () => {
      const port = await freePort();
      const dataDir = join(scratch.path, "lab");
      const file = writeStudy(
        scratch.path,
        {
          name: "rank10 of a client",
          dataset: "on-clients",
          model: "from-client",
          algorithms: ["fedavg"],
          fleet: { external: 1 },
          rounds: 9,
          optimizer: { lr: 0.05 },
          evaluation: { central: false, federated: true },
          metrics: { rank10: { title: "Rank-10", unit: "%" } },
          stop: { target: "rank10 >= 0.5" },
        },
        "reported",
      );
      const where = ["--data-dir", dataDir];
      const lab = startFedfleet(["run", file, ...where, "--listen", `127.0.0.1:${port}`, "--json"]);
      await lab.said("waiting");
      const client = spawn(pythonOf(VERSION), [
        join(import.meta.dirname, "reporting_client.py"),
        `127.0.0.1:${port}`,
      ]);
      const ended = new Promise((resolve) => client.on("close", resolve));
      const finished = await lab.done;
      await ended;
      expect(finished.code).toBe(0);
      expect(finished.stderr.match(/metric note is not recorded/g)).toHaveLength(1);
      expect(finished.stderr.match(/metric nan is not recorded/g)).toHaveLength(1);

      const { study, runs } = documentOf(finished);
      const [run] = runs;
      expect(run!.rounds.map(({ metrics }) => metrics.rank10)).toEqual([0.2, 0.4, expect.closeTo(0.6, 12)]);
      expect(run!.rounds.at(-1)).toMatchObject({ loss: 1, accuracy: null });
      expect(run!.rounds.at(-1)!.metrics).not.toHaveProperty("note");
      expect(run!.reason).toContain("rank10 0.6 meets the target rank10 >= 0.5");

      const table = startFedfleet([
        ...["export", study.id, "--format", "text", "--metric", "rank10"],
        ...where,
      ]);
      expect((await table.done).stdout).toMatch(/Rank-10 at the last round \(%\)[\s\S]*FedAvg +60\.00/);
      const out = join(scratch.path, "rounds.csv");
      const rounds = startFedfleet(["export", study.id, "--format", "rounds-csv", "--out", out, ...where]);
      expect((await rounds.done).code).toBe(0);
      const [header, ...lines] = readFileSync(out, "utf8").trim().split("\r\n");
      expect(header).toBe(
        "study,name,algorithm,trial,seed,status,round,loss,accuracy,rank10,clients,failures,examples,seconds,weightsSha256",
      );
      expect(lines[1]).toContain(",1,1,,0.2,1,0,10,");
    });
  },
);
