import { describe, expect, it } from "vitest";
import { EXPORT_FORMAT_NAMES } from "#contract/export-formats.ts";
import { fileStem, KINDS, previewOf } from "#renderer/screens/compare/export-preview.ts";

describe("preview of a file", () => {
  it("has the first two hundred lines and says how many more there are", () => {
    const { text, more } = previewOf(`${Array.from({ length: 450 }, (_, i) => `line ${i}`).join("\n")}\n`);
    expect(text.split("\n")).toHaveLength(200);
    expect(text.endsWith("line 199")).toBe(true);
    expect(more).toBe(250);
  });

  it("of a short file is the file", () => {
    expect(previewOf("a\nb\n")).toEqual({ text: "a\nb", more: 0 });
  });

  it("cuts lines that nobody reads to the end", () => {
    expect(previewOf("x".repeat(100_000)).text.length).toBeLessThan(2100);
  });

  it("is offered for every format that the lab writes", () => {
    const offered = KINDS.map(({ key }) => key);
    for (const format of EXPORT_FORMAT_NAMES) expect(offered).toContain(format);
  });
});

describe("name of a drawing", () => {
  it.each([
    ["FedAvg vs. FedNTD", "fedavg-vs-fedntd-loss"],
    ["../../etc/passwd\u0000", "etc-passwd-loss"],
    ["Größe: über/alles?", "gro-e-u-ber-alles-loss"],
  ])("of %j", (title, stem) => {
    expect(fileStem(title, "loss")).toBe(stem);
  });

  it("is short and never empty", () => {
    expect(fileStem("x".repeat(500), "loss").length).toBeLessThanOrEqual(100);
    expect(fileStem("研究", "!")).toBe("chart");
  });
});
