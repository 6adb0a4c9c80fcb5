import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documentOf, fedfleet, scratchFolder } from "./command.ts";

const LABS = fileURLToPath(new URL("../main/store/labs/", import.meta.url));
/** What the lab was computed with: the same numbers come of nothing else. */
const env = { FEDFLEET_ENGINE: "wasm" };

interface Expected {
  readonly study: string;
  readonly runs: readonly {
    readonly algorithm: string;
    readonly trial: number;
    readonly rounds: readonly {
      readonly round: number;
      readonly accuracy: number;
      readonly loss: number;
      readonly weightsSha256: string;
    }[];
  }[];
}

describe.each(readdirSync(LABS))("a lab of %s", (version) => {
  const expected = JSON.parse(readFileSync(join(LABS, version, "expected.json"), "utf8")) as Record<
    "demo" | "interrupted",
    Expected
  >;
  const folder = scratchFolder();
  const dataDir = join(folder.path, "lab");
  beforeAll(() => {
    execFileSync("tar", ["-xzf", join(LABS, version, "lab.tar.gz"), "-C", folder.path]);
  });
  afterAll(folder.remove);

  const ok = async (...args: string[]) => {
    const finished = await fedfleet([...args, "--data-dir", dataDir], env);
    expect(finished.code, finished.stderr).toBe(0);
    return finished;
  };
  /** The id of a study, by its name. */
  const idOf = async (name: string): Promise<string> => {
    const { stdout } = await ok("list", "--json");
    const studies = JSON.parse(stdout) as { id: string; name: string }[];
    return studies.find((study) => study.name === name)!.id;
  };
  const roundsOf = (runs: Expected["runs"]) =>
    runs.map(({ algorithm, trial, rounds }) => ({
      algorithm,
      trial,
      rounds: rounds.map(({ round, accuracy, loss, weightsSha256 }) => ({
        round,
        accuracy,
        loss,
        weightsSha256,
      })),
    }));

  test("opens, and has the figures of the demo", async () => {
    const id = await idOf(expected.demo.study);
    const { stdout } = await ok("export", id, "--format", "json");
    const { runs } = JSON.parse(stdout) as Expected;
    expect(
      roundsOf(runs.map((run) => ({ ...run, rounds: run.rounds.filter(({ round }) => round > 0) }))),
    ).toEqual(roundsOf(expected.demo.runs));
    const last = expected.demo.runs[0]!.rounds.at(-1)!;
    const table = await ok("export", id, "--format", "text");
    expect(table.stdout).toMatch(new RegExp(`^FedAvg +${(last.accuracy * 100).toFixed(2)} `, "m"));
  });

  test("resumes the study that was killed, and ends on the weights of an uninterrupted run", async () => {
    const id = await idOf(expected.interrupted.study);
    const document = documentOf(await ok("resume", id, "--json"));
    expect(document.study.status).toBe("done");
    expect(roundsOf(document.runs as Expected["runs"])).toEqual(roundsOf(expected.interrupted.runs));
    // once resumed, old and new records stand side by side in its exports
    const { stdout } = await ok("export", id, "--format", "rounds-csv");
    const rounds = expected.interrupted.runs.flatMap((run) => run.rounds);
    for (const { loss, accuracy } of rounds) expect(stdout).toContain(`,${loss},${accuracy},`);
  });
});
