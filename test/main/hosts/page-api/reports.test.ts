import { createRouterClient } from "@orpc/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXPORT_FORMAT_NAMES } from "#contract/export-formats.ts";
import { putTogether } from "#contract/exported.ts";
import { reportHandlers } from "#main/hosts/page-api/reports-handlers.ts";
import { createReportPorts } from "#main/lab/report-files.ts";
import { createReportProcess } from "#main/lab/report-process.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { openStore, type Store } from "#main/store/store.ts";
import { startFedfleet } from "#test/integration/command.ts";
import {
  plannedRuns,
  sampleEngine,
  samplePartition,
  sampleRound,
  sampleStudy,
  sampleTensors,
  temporaryFolder,
} from "#test/main/store/samples.ts";

const folder = temporaryFolder();
let store: Store;
const reportProcess = createReportProcess({
  fork: forkNode,
  entry: new URL("../../../../src-main/processes/report-worker.ts", import.meta.url),
  dataDir: folder.path,
});
const open = () => createRouterClient(reportHandlers(createReportPorts(store, reportProcess.render)));
let client: ReturnType<typeof open>;
type Subject = Parameters<typeof client.render>[0];
const reports = {
  compare: (subject: Parameters<typeof client.compare>[0]) => client.compare(subject),
  render: async (subject: Subject) => putTogether(await client.render(subject)),
};
let first: { id: string; runs: string[] };
let second: { id: string; runs: string[] };

/** A study of two algorithms and trials; each run ends with the accuracies that are given for it. */
const record = async (name: string, accuracies: readonly (readonly (number | null)[])[], changes = {}) => {
  const created = store.studies.create({
    study: sampleStudy({ name, ...changes }),
    partition: samplePartition(),
    classes: ["a", "b", "c", "d"],
    datasetSha: "ab12",
    engine: sampleEngine,
    runs: plannedRuns,
  });
  for (const [i, { id: run, trial }] of created.runs.entries()) {
    store.runs.setStatus(run, "running");
    for (const [round, accuracy] of [0.2, ...accuracies[i]!].entries()) {
      const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
      const loss = accuracy === null ? Number.NaN : 1 - accuracy;
      const weightsSha256 = `${round} of trial ${trial}`;
      const result = sampleRound(round, { metrics: { accuracy, loss }, weightsSha256 });
      store.recordRound({ run, result, checkpoint });
    }
    store.runs.setStatus(run, "done");
  }
  store.studies.setStatus(created.id, "done");
  return { id: created.id, runs: created.runs.map(({ id }) => id) };
};

beforeAll(async () => {
  store = openStore({ dataDir: folder.path });
  first = await record("fedavg vs fedntd, Ünit 1", [
    [0.25, 0.5, 0.5],
    [0.25, 0.5, 0.75],
    [0.5, 0.25, 0.25],
    [0.5, 0.5, null],
  ]);
  second = await record(
    "second",
    [
      [0.25, 0.5, 0.625],
      [0.25, 0.5, 0.5],
      [0.5, 0.25, 0.375],
      [0.5, 0.5, 0.5],
    ],
    { optimizer: { lr: 0.1 } },
  );
  client = open();
});
afterAll(async () => {
  await reportProcess.close();
  store.close();
  folder.remove();
});

test("a study's comparison: figures of the record, a fair pair, curves by columns", async () => {
  const found = await reports.compare({ studies: [first.id] });
  expect(found).toMatchObject({
    metric: { id: "accuracy", chance: 0.25 },
    at: "last",
    trials: [1, 2],
    fair: false,
  });
  expect(found.rows.map(({ label, mean, n }) => [label, mean, n])).toEqual([
    ["FedAvg", 0.375, 2],
    ["FedNTD", 0.75, 1],
  ]);
});

test("is fair only where every row has its figures", async () => {
  const { fair, fairness } = await reports.compare({ studies: [second.id] });
  expect([fair, fairness.filter(({ ok }) => !ok)]).toEqual([true, []]);
  const lacking = (await reports.compare({ studies: [first.id] })).fairness.filter(({ ok }) => !ok);
  expect(lacking.map(({ text }) => text)).toEqual(["Different trials: FedNTD has no figure for trial 2."]);
});

test("curves are those of the runs, in the rows' order of studies", async () => {
  const { curves } = await reports.compare({ studies: [second.id], runs: [first.runs[1]!] });
  expect(curves).toEqual([...second.runs, first.runs[1]!].map((run) => store.rounds.columns(run)));
});

test("two studies: what differs is named, and the trials are paired", async () => {
  const found = await reports.compare({ studies: [first.id, second.id], at: 2 });
  expect(found.rows.map(({ label }) => label)).toEqual([
    "FedAvg · fedavg vs fedntd, Ünit 1",
    "FedNTD · fedavg vs fedntd, Ünit 1",
    "FedAvg · second",
    "FedNTD · second",
  ]);
  expect(found.fair).toBe(false);
  expect(found.differences).toEqual([{ path: "optimizer.lr", values: ["0.05", "0.05", "0.1", "0.1"] }]);
  expect(found.improvements[2]!.cells.map(({ value }) => value)).toEqual([0, 0.25]);
});

test("single runs: each once, and not again where its study is there as a whole", async () => {
  const [avg, ntd] = second.runs;
  const some = await reports.compare({ runs: [ntd!, avg!, ntd!] });
  expect(some.rows.map(({ label, cells }) => [label, cells.map(({ run }) => run)])).toEqual([
    ["FedNTD", [ntd]],
    ["FedAvg", [avg]],
  ]);
  const both = await reports.compare({ studies: [second.id], runs: [ntd!] });
  expect(both.rows.map(({ label, n }) => [label, n])).toEqual([
    ["FedAvg", 2],
    ["FedNTD", 2],
  ]);
});

describe("what is not there", () => {
  test.each([
    ["a study", { studies: ["s-none"] }, "NOT_FOUND", /s-none/],
    ["a run", { runs: ["r-none"] }, "NOT_FOUND", /r-none/],
    ["nothing", {}, "PROBLEM", /^Choose at least one study or run/],
  ] as const)("%s", async (_what, subject, code, message) => {
    const refused = { code, message: expect.stringMatching(message) };
    const input = { studies: [], runs: [], ...subject };
    await expect(reports.compare({ ...input, studies: [...input.studies] } as never)).rejects.toMatchObject(
      refused,
    );
    await expect(reports.render({ ...input, format: "csv" } as never)).rejects.toMatchObject(refused);
  });

  test("a round", async () => {
    await expect(reports.compare({ studies: [second.id], at: 4 })).rejects.toMatchObject({
      code: "PROBLEM",
      message: "There is no round 4; the last round is 3.",
    });
  });
});

describe("files", () => {
  test("of one study are what the command line exports, byte by byte", async () => {
    const formats = EXPORT_FORMAT_NAMES.filter((format) => format !== "xlsx");
    const fromPage = new Map<string, string>();
    for (const format of formats) {
      const { content, encoding } = await reports.render({ studies: [first.id], format });
      expect(encoding).toBe("utf8");
      fromPage.set(format, content);
    }
    store.close();
    for (const format of formats) {
      const args = ["export", first.id, "--format", format, "--data-dir", folder.path];
      const { code, stdout, stderr } = await startFedfleet(args).done;
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(fromPage.get(format)).toBe(stdout);
    }
    store = openStore({ dataDir: folder.path });
    client = open();
    // the run that diverged is told from one that was not measured
    expect(fromPage.get("rounds-csv")).toMatch(/,NaN,,/);
  });

  test.each([
    ["csv", "text/csv", "fedavg-vs-fedntd-Ünit-1-best.csv"],
    ["rounds-csv", "text/csv", "fedavg-vs-fedntd-Ünit-1-rounds.csv"],
    ["markdown", "text/markdown", "fedavg-vs-fedntd-Ünit-1-best.md"],
    ["latex", "application/x-tex", "fedavg-vs-fedntd-Ünit-1-best.tex"],
    ["json", "application/json", "fedavg-vs-fedntd-Ünit-1-best.json"],
    ["text", "text/plain", "fedavg-vs-fedntd-Ünit-1-best.txt"],
  ] as const)("%s is %s, called %s", async (format, mediaType, filename) => {
    const at = "best" as const;
    expect(await reports.render({ studies: [first.id], at, format })).toMatchObject({ mediaType, filename });
  });

  test("of several studies have a row each, and say what is not fair", async () => {
    const subject = { studies: [second.id, first.id] };
    const markdown = await reports.render({ ...subject, format: "markdown" });
    expect(markdown.filename).toBe("second-vs-fedavg-vs-fedntd-last.md");
    expect(markdown.content).toContain("| FedAvg · second | 62.50 | 37.50 | 50.00 ± 17.68 (2) |");
    expect(markdown.content).toContain("| accuracy improvement, FedNTD · second | -12.50 | +12.50 |");
    expect(markdown.content).toMatch(/^- More than the algorithm differs: optimizer\.lr: 0\.1 in/m);
    const latex = await reports.render({ ...subject, format: "latex" });
    expect(latex.content).toContain("FedAvg · second & 62.50 & 37.50 &");
    const csv = await reports.render({ ...subject, format: "csv" });
    expect(csv.content.split("\r\n")[1]).toBe(
      "fedavg · second,accuracy at the last round (%),62.50,37.50,50.00,17.68,2,",
    );
    const text = await reports.render({ ...subject, format: "text" });
    expect(text.content).toMatch(
      /^second \(s-\w+\), fedavg vs fedntd, Ünit 1 \(s-\w+\): Net on fashion-mnist-sample/,
    );
    const rounds = await reports.render({ ...subject, format: "rounds-csv" });
    // 2 studies × 4 runs × 4 rounds, and the names of the columns
    expect(rounds.content.trimEnd().split("\r\n")).toHaveLength(33);
    const json = JSON.parse((await reports.render({ ...subject, format: "json" })).content);
    const { curves: _, ...comparison } = await reports.compare(subject);
    expect(json.rows).toEqual(comparison.rows);
    expect(json.fairness).toEqual(comparison.fairness);
    expect(json.studies[1].runs[0].rounds[3]).toMatchObject({ accuracy: 0.5, clients: 2, failures: 1 });
  });

  test("of single runs say so in their name", async () => {
    const { filename } = await reports.render({ runs: [second.runs[0]!], at: 2, format: "csv" });
    expect(filename).toBe("second-some-runs-round-2.csv");
  });

  test("a workbook is a zip of sheets in base64", async () => {
    for (const studies of [[second.id], [second.id, first.id]]) {
      const { content, encoding, mediaType } = await reports.render({ studies, format: "xlsx" });
      expect([encoding, mediaType]).toEqual([
        "base64",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
      ]);
      const bytes = Buffer.from(content, "base64");
      expect(bytes.subarray(0, 4).toString("latin1")).toBe("PK\u0003\u0004");
      expect(bytes.includes("xl/worksheets/sheet3.xml")).toBe(true);
    }
  });
});
