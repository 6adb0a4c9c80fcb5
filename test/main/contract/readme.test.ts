import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ALGORITHMS } from "#contract/algorithms/algorithms.ts";
import type { AlgorithmDefinition } from "#contract/algorithms/definition.ts";

const lineOf = ({ name, title, about, fields = [] }: AlgorithmDefinition): string =>
  `| \`${name}\` | ${title} | ${about} | ${fields.map(({ key }) => `\`${key}\``).join(", ")} |`;

test("the README's table lists the algorithms as their files describe them, in order", () => {
  const lines = readFileSync("README.md", "utf8").split("\n");
  const first = lines.findIndex((line) => line.startsWith("<!-- algorithms:"));
  // a heading and a rule, then one line each
  const table = lines.slice(first + 3);
  expect(table.slice(0, table.indexOf(""))).toEqual(
    Object.values<AlgorithmDefinition>(ALGORITHMS).map(lineOf),
  );
});
