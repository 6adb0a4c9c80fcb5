import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { DEMO, PRESETS } from "#contract/presets.ts";
import { parseStudy } from "#contract/study.ts";
import { type Draft, tidy } from "#renderer/screens/new-study/draft.ts";
import { readStudyFile, toYaml } from "#renderer/screens/new-study/draft-file.ts";

describe("copying as YAML", () => {
  it.each(PRESETS.map(({ name, study }) => [name, study as Draft] as const))(
    "of the preset %s opens as the same draft",
    (_name, study) => {
      const opened = readStudyFile(toYaml(study));
      expect(opened).toEqual({ ok: true, draft: tidy(study) });
    },
  );

  it("writes short groups on one line, and no default", () => {
    expect(toYaml(DEMO as Draft)).toBe(`name: demo-fedavg-vs-fedntd
dataset: fashion-mnist-sample
model: Net
algorithms: [ fedavg, fedntd ]
partition: { kind: shards, shardsPerClient: 3 }
fleet: { virtual: 4 }
rounds: 8
localEpochs: 3
batchSize: 50
optimizer: { lr: 0.02, momentum: 0.9, weightDecay: 0.00001 }
sampling: { fraction: 0.5, minFit: 2 }
`);
  });

  it("brings names that look like something else through", () => {
    for (const name of ["yes", "12", "a: b", "- x", "#", "ä\n", "'\""]) {
      const opened = readStudyFile(toYaml({ ...DEMO, name }));
      expect(opened.ok && opened.draft.name).toBe(name);
    }
  });
});

describe("opening a file", () => {
  it("reads the examples, and JSON", async () => {
    const text = await readFile(new URL("../../../../examples/demo.yaml", import.meta.url), "utf8");
    const opened = readStudyFile(text);
    expect(opened.ok && parseStudy(opened.draft)).toEqual(parseStudy(DEMO));
    expect(readStudyFile(JSON.stringify(DEMO))).toEqual({ ok: true, draft: tidy(DEMO as Draft) });
  });

  it("names the field and its line", () => {
    const text = toYaml({ ...DEMO, rounds: 0, optimizer: { lr: -1 }, wrong: 1 } as Draft);
    expect(readStudyFile(text)).toEqual({
      ok: false,
      problems: [
        "rounds (line 7): must be at least 1",
        "optimizer.lr (line 10): must be above 0",
        "wrong (line 12): no such setting",
      ],
    });
  });

  it("names the line that is no YAML", () => {
    const opened = readStudyFile("name: a\nrounds: [1, 2\nmodel: Net\n");
    expect(opened.ok).toBe(false);
    expect(!opened.ok && opened.problems[0]).toMatch(/^line [23]: /);
  });

  it("refuses what is no study, without an exception", () => {
    for (const text of [
      "",
      "just words",
      "[1, 2]",
      "\u0000\u0001",
      `{"a":${"[".repeat(5000)}`,
      "x".repeat(2e6),
    ])
      expect(readStudyFile(text).ok).toBe(false);
  });

  it("does not unfold a bomb of aliases", () => {
    const levels = "abcdefgh".split("");
    const bomb = levels
      .map(
        (key, i) =>
          `${key}: &${key} [${Array(9)
            .fill(i === 0 ? "x" : `*${levels[i - 1]}`)
            .join(",")}]`,
      )
      .join("\n");
    expect(readStudyFile(bomb).ok).toBe(false);
  });

  it("says how many problems it did not name", () => {
    const opened = readStudyFile("a: 1\nb: 1\nc: 1\n");
    expect(!opened.ok && opened.problems).toHaveLength(6);
    expect(!opened.ok && opened.problems[5]).toMatch(/^and \d+ more$/);
  });
});
