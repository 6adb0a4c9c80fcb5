/**
 * How late the event loop of the serving process is while pages take reports away and start studies. The lab is served
 * in a process of its own, as `fedfleet serve` does it, and asked over its WebSocket: what it costs to send counts too.
 * `node test/bench/serving.ts FOLDER` asks a copy of that data directory (test/main/store/large-database.ts fills one);
 * without a folder a database of two such studies is filled first, which takes a minute.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { ExportFormat } from "#contract/export-formats.ts";
import { putTogether } from "#contract/exported.ts";
import type { StudyInput } from "#contract/study.ts";
import { connectDirectly } from "#test/e2e/served-lab.ts";
import type { Figure } from "./figure.ts";
import { serveMeasured } from "./measured-lab.ts";

const STUDIES = 2;
const WORST_MS = 60;
const P99_MS = 30;

const fill = (dataDir: string): void => {
  const script = fileURLToPath(new URL("../main/store/large-database.ts", import.meta.url));
  const ran = spawnSync(process.execPath, [script, String(STUDIES), dataDir], { stdio: "ignore" });
  if (ran.status !== 0) throw new Error(`the database could not be filled (${ran.status ?? ran.signal})`);
};

const study = (changes: Partial<StudyInput>): StudyInput => ({
  name: "measured",
  dataset: "fashion-mnist-sample",
  model: "Net",
  algorithms: ["fedavg"],
  fleet: { virtual: 10 },
  rounds: 1,
  optimizer: { lr: 0.01 },
  ...changes,
});

export const benchServing = async (filled?: string): Promise<Figure[]> => {
  const dataDir = mkdtempSync(join(tmpdir(), "fedfleet-bench-"));
  if (filled === undefined) fill(dataDir);
  else cpSync(filled, dataDir, { recursive: true });
  const lab = await serveMeasured(dataDir);
  const { ask: client, close } = await connectDirectly(new URL(lab.url));
  const figures: Figure[] = [];
  const measured = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    lab.measure();
    const begin = performance.now();
    await work();
    const seconds = (performance.now() - begin) / 1000;
    const { p99, max } = await lab.report();
    const name = `event loop late, ${what} (${seconds.toFixed(1)} s)`;
    figures.push(
      { name: `${name}, p99`, value: p99, unit: "ms", target: `< ${P99_MS} ms`, met: p99 < P99_MS },
      { name: `${name}, worst`, value: max, unit: "ms", target: `≤ ${WORST_MS} ms`, met: max <= WORST_MS },
    );
  };
  try {
    const { studies } = await client.studies.list();
    // the largest first
    const ids = studies.toSorted((a, b) => b.roundsDone - a.roundsDone).map(({ id }) => id);
    const render = (format: ExportFormat, count: number) => async () => {
      const { content } = await putTogether(
        await client.reports.render({ studies: ids.slice(0, count), format }),
      );
      if (content.length < 100) throw new Error(`${format}: no more than ${content}`);
      console.error(`${format} of ${count}: ${(content.length / 1e6).toFixed(1)} MB`);
    };
    await measured("nothing asked", () => new Promise((resolve) => setTimeout(resolve, 2000)));
    await measured("JSON of one study", render("json", 1));
    for (const format of ["csv", "rounds-csv", "json", "xlsx"] as const) {
      await measured(`${format} of ${ids.length} studies`, render(format, ids.length));
    }
    await measured("rounds-csv of one study", render("rounds-csv", 1));
    await measured("xlsx of one study", render("xlsx", 1));
    // Starts the processes that later studies find.
    await client.studies.prepare({ study: study({}) });
    const impossible: Partial<StudyInput> = {
      fleet: { virtual: 1000 },
      partition: { kind: "dirichlet", alpha: 0.01, minSamples: 5 },
    };
    await measured("an impossible study is started", async () => {
      const refused = await client.studies.start({ study: study(impossible) }).then(
        () => undefined,
        (error: unknown) => error as Error,
      );
      if (!refused?.message.includes("alpha")) throw new Error(`expected a refusal, got ${refused}`);
    });
    let started = "";
    await measured("a study of 1000 devices is started", async () => {
      ({ study: started } = await client.studies.start({ study: study({ fleet: { virtual: 1000 } }) }));
    });
    await client.studies.stopNow({ study: started });
  } finally {
    close();
    await lab.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
  return figures;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { renderFigures } = await import("./figure.ts");
  console.log(renderFigures(await benchServing(process.argv[2])));
}
