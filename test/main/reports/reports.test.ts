import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { EXPORT_FORMAT_NAMES, type ExportFormat } from "#contract/export-formats.ts";
import { writeReport } from "#main/reports/formats.ts";
import { reportOf, studyReport } from "#main/reports/report.ts";
import { type ReportInput, type ReportRun, type Summary, summarise } from "#main/reports/summary.ts";
import { NASTY, originalTable, sampleInput, sampleRun } from "./samples.ts";

/** RFC 4180, read by a machine of three states that shares nothing with the writer. */
const parseCsv = (text: string): string[][] => {
  const records: string[][] = [];
  let record: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') {
        field += '"';
        i++;
      } else if (c === '"') quoted = false;
      else field += c;
    } else if (c === '"') {
      if (field !== "") throw new Error(`a quote within a field at ${i}`);
      quoted = true;
    } else if (c === ",") {
      record.push(field);
      field = "";
    } else if (c === "\r" && text[i + 1] === "\n") {
      records.push([...record, field]);
      record = [];
      field = "";
      i++;
    } else if (c === "\r" || c === "\n") throw new Error(`a bare line break at ${i}`);
    else field += c;
  }
  if (quoted || field !== "" || record.length > 0) throw new Error("the text ends within a record");
  return records;
};

const asText = (content: ReturnType<typeof writeReport>): string => {
  if (typeof content !== "string") throw new Error("not a text");
  return content;
};
const renderTable = (table: Summary, format: ExportFormat): string =>
  asText(writeReport(reportOf(table), format));
const renderRounds = (input: ReportInput): string =>
  asText(writeReport(studyReport(input, { at: "last" }), "rounds-csv"));

const summary = summarise(originalTable());

describe("the original project's table", () => {
  test("as text", () => {
    expect(renderTable(summary, "text")).toBe(
      [
        "forgetting (s-7k3f9q): Net on fashion-mnist-sample, accuracy at the last round (%), mean ± sample standard deviation (number of trials)",
        "",
        "algorithm             trial 1  trial 2  trial 3               mean",
        "──────────────────────────────────────────────────────────────────",
        "FedAvg                  54.31    58.84    51.55   54.90 ± 3.68 (3)",
        "FedNTD                  66.72    65.13    64.55   65.47 ± 1.12 (3)",
        "──────────────────────────────────────────────────────────────────",
        "accuracy improvement   +12.41    +6.29   +13.00  +10.57 ± 3.72 (3)",
        "chance level                                                 10.00",
        "",
      ].join("\n"),
    );
  });
  test("as Markdown", () => {
    expect(renderTable(summary, "markdown").split("\n").slice(2)).toEqual([
      "| algorithm | trial 1 | trial 2 | trial 3 | mean |",
      "| :--- | ---: | ---: | ---: | ---: |",
      "| FedAvg | 54.31 | 58.84 | 51.55 | 54.90 ± 3.68 (3) |",
      "| FedNTD | 66.72 | 65.13 | 64.55 | **65.47 ± 1.12 (3)** |",
      "| accuracy improvement | +12.41 | +6.29 | +13.00 | +10.57 ± 3.72 (3) |",
      "| chance level |  |  |  | 10.00 |",
      "",
    ]);
  });
  test("as LaTeX", () => {
    expect(renderTable(summary, "latex").split("\n").slice(3, -2)).toEqual([
      "  \\caption{forgetting (s-7k3f9q): Net on fashion-mnist-sample, accuracy at the last round (\\%), mean $\\pm$ sample standard deviation (number of trials).}",
      "  \\label{tab:s-7k3f9q}",
      "  \\begin{tabular}{lrrrr}",
      "    \\toprule",
      "    algorithm & trial 1 & trial 2 & trial 3 & mean \\\\",
      "    \\midrule",
      "    FedAvg & 54.31 & 58.84 & 51.55 & 54.90 $\\pm$ 3.68 (3) \\\\",
      "    FedNTD & 66.72 & 65.13 & 64.55 & \\textbf{65.47 $\\pm$ 1.12 (3)} \\\\",
      "    \\midrule",
      "    accuracy improvement & +12.41 & +6.29 & +13.00 & +10.57 $\\pm$ 3.72 (3) \\\\",
      "    chance level &  &  &  & 10.00 \\\\",
      "    \\bottomrule",
      "  \\end{tabular}",
    ]);
  });
  test("as CSV", () => {
    const what = "accuracy at the last round (%)";
    expect(parseCsv(renderTable(summary, "csv"))).toEqual([
      ["algorithm", "measure", "trial 1", "trial 2", "trial 3", "mean", "deviation", "n", "note"],
      ["fedavg", what, "54.31", "58.84", "51.55", "54.90", "3.68", "3", ""],
      ["fedntd", what, "66.72", "65.13", "64.55", "65.47", "1.12", "3", ""],
      ["accuracy improvement", what, "12.41", "6.29", "13.00", "10.57", "3.72", "3", "fedntd vs. fedavg"],
      ["chance level", what, "", "", "", "10.00", "", "", ""],
    ]);
  });
  test("as JSON, unrounded and whole", () => {
    expect(JSON.parse(renderTable(summary, "json"))).toEqual({
      ...summary,
      metric: "accuracy",
      chance: 0.1,
      runs: summary.runs.map((run) => ({
        ...run,
        rounds: run.rounds.map((r) => ({
          ...r,
          loss: r.metrics.loss,
          accuracy: r.metrics.accuracy,
        })),
      })),
    });
  });
});

test("what did not finish is a dash with its reason, in every format", () => {
  const partial = summarise(
    sampleInput([
      sampleRun("fedavg", 1, [0.1, 0.2, 0.5]),
      sampleRun("fedntd", 1, [0.1, 0.2, 0.4]),
      sampleRun("fedavg", 2, [0.1, 0.2, 0.5]),
      sampleRun("fedntd", 2, [0.1], "failed", "no device_1 answered"),
    ]),
    "best",
  );
  const why = "failed after round 1 of 3: no device_1 answered";
  expect(renderTable(partial, "text")).toMatch(/^FedNTD +40\.00 +– +40\.00 \(1\)$/m);
  expect(renderTable(partial, "text")).toContain(`FedNTD, trial 2: ${why}`);
  expect(renderTable(partial, "text")).toMatch(/^accuracy improvement +-10\.00 +– +-10\.00 \(1\)$/m);
  expect(renderTable(partial, "markdown")).toContain("| FedNTD | 40.00 | – | 40.00 (1) |");
  expect(renderTable(partial, "markdown")).toContain("no device\\_1 answered");
  expect(renderTable(partial, "markdown")).toContain("chosen on the test set");
  expect(renderTable(partial, "latex")).toContain("FedNTD & 40.00 & -- & 40.00 (1) \\\\");
  expect(renderTable(partial, "latex")).toContain("& $-$10.00 & -- &");
  expect(renderTable(partial, "latex")).toContain("no device\\_1 answered.");
  expect(renderTable(partial, "latex")).toContain("chosen on the test set");
  expect(parseCsv(renderTable(partial, "csv"))[2]).toEqual([
    "fedntd",
    "accuracy at the best round (%)",
    "40.00",
    "",
    "40.00",
    "",
    "1",
    `trial 2: ${why}`,
  ]);
  // means over different trials are not to be compared: neither is the best
  expect(renderTable(partial, "markdown")).not.toContain("**");
  expect(renderTable(partial, "latex")).not.toContain("textbf");
});

test("equal algorithms differ by 0.00, never by -0.00", () => {
  const runs = [sampleRun("a", 1, [0.1, 0.2, 0.500001]), sampleRun("b", 1, [0.1, 0.2, 0.5])];
  const text = renderTable(summarise(sampleInput(runs)), "text");
  expect(text).toMatch(/^accuracy improvement +0\.00 +0\.00 \(1\)$/m);
});

test("a study without runs renders in every format", () => {
  for (const format of EXPORT_FORMAT_NAMES) {
    if (format !== "xlsx") expect(renderTable(summarise(sampleInput([])), format)).toMatch(/\n$/);
  }
});

describe.each(NASTY)("a name like %j", (nasty) => {
  const named = summarise(
    sampleInput(
      [sampleRun(nasty, 1, [0.1, 0.2, 0.3], "failed", nasty), sampleRun(`${nasty}2`, 1, [0.1, 0.2, 0.4])],
      { name: nasty, dataset: nasty },
    ),
  );
  test("keeps a terminal's columns and cursor", () => {
    const text = renderTable(named, "text");
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const lines = text.split("\n");
    expect(lines).toHaveLength(13);
    const widths = [2, 4, 5].map((i) => stringWidth(lines[i]!));
    expect(new Set(widths).size).toBe(1);
    expect(widths[0]).toBeLessThan(80);
  });
  test("keeps Markdown's columns", () => {
    const rows = renderTable(named, "markdown")
      .split("\n")
      .filter((l) => l.startsWith("|"));
    expect(rows).toHaveLength(6);
    // a pipe that is not escaped divides cells
    for (const row of rows) expect(row.match(/(?<!\\)(?:\\\\)*\|/g)).toHaveLength(4);
  });
  test("keeps LaTeX's columns and groups", () => {
    const latex = renderTable(named, "latex");
    const rows = latex.split("\n").filter((l) => l.startsWith("    ") && l.endsWith(" \\\\"));
    expect(rows).toHaveLength(5);
    for (const row of rows) {
      expect(row.match(/(?<!\\)&/g)).toHaveLength(2);
      expect(row.trimStart().startsWith("[")).toBe(false);
    }
    const bare = latex.replace(/\\[^a-zA-Z]/g, "");
    expect(bare.split("{").length).toBe(bare.split("}").length);
    expect(bare.replace("% \\usepackage", "")).not.toMatch(/[%#~^"<>|`]/);
    expect(bare.replaceAll(/\$(\\pm|\\times|-)\$/g, "")).not.toContain("$");
    expect(bare.replaceAll(/\\label\{[^}]*\}/g, "")).not.toContain("_");
  });
  test("comes back from CSV as it was", () => {
    const records = parseCsv(renderTable(named, "csv"));
    expect(records.map((r) => r[0])).toEqual([
      "algorithm",
      nasty,
      `${nasty}2`,
      "accuracy improvement",
      "chance level",
    ]);
    expect(new Set(records.map((r) => r.length))).toEqual(new Set([7]));
    expect(records[1]!.at(-1)).toContain(nasty);
  });
});

test("rounds as CSV read back as the very same numbers and names", () => {
  const run = fc.record({
    algorithm: fc.string({ unit: "binary" }),
    trial: fc.nat(),
    seed: fc.nat(),
    status: fc.constantFrom("done" as const, "failed" as const),
    rounds: fc.array(
      fc.record({
        round: fc.nat(),
        metrics: fc.record({
          accuracy: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
          loss: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
        }),
      }),
      { maxLength: 4 },
    ),
  });
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.array(run, { maxLength: 4 }), (name, runs) => {
      const [header, ...records] = parseCsv(renderRounds(sampleInput(runs, { name })));
      const column = (title: string) => header!.indexOf(title);
      const number = (text: string) => (text === "" ? null : Number(text));
      expect(
        records.map((r) => [
          r[column("name")],
          r[column("algorithm")],
          number(r[column("loss")]!),
          number(r[column("accuracy")]!),
        ]),
      ).toEqual(
        // text has no -0
        runs.flatMap((r) =>
          r.rounds.map(({ metrics: { loss, accuracy } }) => [
            name,
            r.algorithm,
            loss === null ? null : loss + 0,
            accuracy === null ? null : accuracy + 0,
          ]),
        ),
      );
    }),
  );
});

describe("metrics that clients reported", () => {
  const reported = { rank10: 0.5, constructor: 2 };
  const withMetrics = (algorithm: string, rank10: number): ReportRun => {
    const run = sampleRun(algorithm, 1, [0.25, 0.75, 0.5]);
    return {
      ...run,
      rounds: run.rounds.map((r) => ({ ...r, metrics: { ...r.metrics, ...reported, rank10 } })),
    };
  };
  const input = sampleInput([withMetrics("fedavg", 0.5), withMetrics("fedntd", 0.625)]);

  test("follow loss and accuracy among the columns of rounds, by name", () => {
    const [header, first] = parseCsv(renderRounds(input));
    expect(header!.slice(6)).toEqual([
      ...["round", "loss", "accuracy", "constructor", "rank10"],
      ...["clients", "failures", "examples", "seconds", "weightsSha256"],
    ]);
    expect(first!.slice(6, 11)).toEqual(["1", "0.75", "0.25", "2", "0.5"]);
    const mixed = sampleInput([sampleRun("fedavg", 1, [0.5]), withMetrics("fedntd", 0.5)]);
    // a run in which nobody reported them has empty fields
    expect(parseCsv(renderRounds(mixed))[1]!.slice(6, 11)).toEqual(["1", "0.5", "0.5", "", ""]);
  });

  test("can be what the table shows", () => {
    const table = summarise(input, "last", "rank10");
    expect(table.metric).toMatchObject({ id: "rank10", title: "rank10", chance: null });
    const text = renderTable(table, "text");
    expect(text).toContain("rank10 at the last round, mean");
    expect(text).toMatch(/^FedNTD +0\.6250 +0\.6250 \(1\)$/m);
    expect(text).toMatch(/^rank10 improvement +\+0\.1250 +\+0\.1250 \(1\)$/m);
    expect(text).not.toContain("chance level");
    expect(JSON.parse(renderTable(table, "json"))).toMatchObject({ metric: "rank10", chance: null });
    expect(summarise(input).metric.id).toBe("accuracy");
  });

  test("that are not there are refused by name", () => {
    expect(() => summarise(input, "last", "rank5")).toThrow(
      "there is no metric rank5; choose one of accuracy, loss, constructor, rank10",
    );
  });

  test("and loss improve downwards where lower is better", () => {
    const table = summarise(input, "best", "loss");
    expect(table.rows.map(({ mean }) => mean)).toEqual([0.25, 0.25]);
    expect(renderTable(table, "markdown")).toContain("loss at the best round (nats)");
  });
});

test("rounds carry what is known of them", () => {
  const input = sampleInput([
    {
      ...sampleRun("fedavg", 1, []),
      rounds: [
        {
          round: 1,
          metrics: { accuracy: 0.1 + 0.2, loss: 1e-7 },
          clients: ["a", "b"],
          failures: [{}],
          examples: 120,
          weightsSha256: "ab",
          seconds: 1.5,
        },
      ],
    },
  ]);
  expect(renderRounds(input).split("\r\n")).toEqual([
    "study,name,algorithm,trial,seed,status,round,loss,accuracy,clients,failures,examples,seconds,weightsSha256",
    "s-7k3f9q,forgetting,fedavg,1,101,done,1,1e-7,0.30000000000000004,2,1,120,1.5,ab",
    "",
  ]);
});
