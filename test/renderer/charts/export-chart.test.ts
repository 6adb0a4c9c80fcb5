import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { metricOf } from "#contract/metrics.ts";
import { lookOf } from "#renderer/charts/colours.ts";
import { chartSvg, escaped, heightOf, LIGHT, resolved, WIDTH } from "#renderer/charts/export-chart.ts";
import type { Series } from "#renderer/charts/series.ts";

const line = (label: string, algorithm: string, values: readonly number[]): Series => ({
  key: label,
  label,
  algorithm,
  ...lookOf(algorithm),
  kind: "mean",
  points: values.map((value, round) => ({ round, value })),
  band: values.map((value, round) => ({ round, low: value - 0.1, high: value + 0.1 })),
});

const drawing = {
  title: 'fedavg against <fedntd> & "more"',
  metric: metricOf("accuracy", {}, 10),
  series: [line("fedavg", "fedavg", [0.1, 0.4, 0.95]), line("fedadam · a<b>", "fedadam", [0.1, 0.5, 0.6])],
  rounds: 2,
};

/** A reader of the little XML that the drawing is: throws where tags do not close or a text is not escaped. */
const parse = (xml: string): { tags: string[]; texts: string[]; attributes: Map<string, string>[] } => {
  const open: string[] = [];
  const found = { tags: [] as string[], texts: [] as string[], attributes: [] as Map<string, string>[] };
  const pattern = /<(\/?)(\w+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  let at = 0;
  for (const match of xml.matchAll(pattern)) {
    if (match.index !== at) throw new Error(`not XML at ${at}: ${xml.slice(at, at + 60)}`);
    at += match[0].length;
    const [, closing, tag, attributes = "", alone, text] = match;
    if (text !== undefined) {
      if (/&(?!#\d+;)/.test(text)) throw new Error(`an & is not escaped: ${text}`);
      if (text.trim() !== "") found.texts.push(text);
    } else if (closing === "/") {
      if (open.pop() !== tag) throw new Error(`</${tag}> closes nothing`);
    } else {
      found.tags.push(tag!);
      found.attributes.push(
        new Map([...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!])),
      );
      if (alone === "") open.push(tag!);
    }
  }
  if (at !== xml.trimEnd().length && at !== xml.length) throw new Error(`not XML at ${at}`);
  if (open.length > 0) throw new Error(`not closed: ${open}`);
  return found;
};

describe("the chart as a drawing", () => {
  const svg = chartSvg(drawing);
  const { tags, texts, attributes } = parse(svg);

  it("is one XML document whose names are escaped", () => {
    expect(tags[0]).toBe("svg");
    expect(svg).not.toContain("<fedntd>");
    expect(texts).toContain("fedavg against &#60;fedntd&#62; &#38; &#34;more&#34;");
  });

  it("refers to nothing outside, and to no style sheet", () => {
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|url\(|href|var\(|class=|style/,
    );
  });

  it("has its title, both axes' names, the level of guessing, and every row in the legend", () => {
    for (const words of ["Round", "Accuracy", "chance 10%"]) expect(texts).toContain(words);
    expect(texts.filter((text) => text.startsWith("fedavg (mean ± standard deviation"))).toHaveLength(1);
    expect(texts.filter((text) => text.startsWith("fedadam · a&#60;b&#62; (mean"))).toHaveLength(1);
  });

  it("draws every line in its colour and dash within the picture", () => {
    const strokes = attributes.filter((a) => a.get("stroke-width") === "2.4");
    expect(strokes.map((a) => a.get("stroke"))).toEqual([LIGHT["--series-1"], LIGHT["--series-6"]]);
    expect(strokes.map((a) => a.get("stroke-dasharray"))).toEqual([undefined, "7 3"]);
    for (const a of attributes) {
      const numbers = [...(a.get("d") ?? "").matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)];
      for (const [, x, y] of numbers) {
        expect(Number(x)).toBeGreaterThanOrEqual(0);
        expect(Number(x)).toBeLessThanOrEqual(WIDTH);
        expect(Number(y)).toBeGreaterThanOrEqual(0);
        expect(Number(y)).toBeLessThanOrEqual(heightOf(drawing.series));
      }
    }
  });

  it("puts a higher accuracy higher", () => {
    const [first] = attributes.filter((a) => a.get("stroke-width") === "2.4");
    const heights = [...(first?.get("d") ?? "").matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
    expect(heights).toHaveLength(3);
    expect(heights[0]).toBeGreaterThan(heights[1]!);
    expect(heights[1]).toBeGreaterThan(heights[2]!);
  });

  it("without a line, or with one point, is still a picture", () => {
    expect(() =>
      parse(chartSvg({ ...drawing, series: [], rounds: 0, metric: metricOf("accuracy") })),
    ).not.toThrow();
    const one = chartSvg({ ...drawing, series: [line("a", "fedavg", [0.3])], rounds: 0 });
    expect(() => parse(one)).not.toThrow();
    expect(one).not.toContain("NaN");
  });
});

describe("colours of a drawing", () => {
  it("are those of the page in its light scheme", () => {
    const [light = ""] = readFileSync("src-renderer/ui/theme.css", "utf8").split(
      'data-mantine-color-scheme="dark"',
    );
    const sheet = new Map(
      [...light.matchAll(/(--[\w-]+):\s*(#\w+);/g)].map(([, name, value]) => [name, value]),
    );
    for (const [name, value] of Object.entries(LIGHT)) expect([name, sheet.get(name)]).toEqual([name, value]);
  });

  it("are plain colours", () => {
    expect(resolved("var(--series-2)")).toBe("#c24e00");
    expect(resolved("#123456")).toBe("#123456");
    expect(resolved("var(--unheard-of)")).toMatch(/^#[0-9a-f]{6}$/);
  });
});

describe("text of a drawing", () => {
  it("has nothing in it that XML forbids", () => {
    expect(escaped("a\u0000b\u001bc\ud800d\tü研\u{1f600}")).toBe("a\ufffdb\ufffdc\ufffdd\tü研\u{1f600}");
  });
});
