import fc from "fast-check";
import { expect, test } from "vitest";
import { fromExactJson, toExactJson } from "#main/store/exact-json.ts";

test("every JSON value with every double comes back the same", () => {
  const number = fc.oneof(
    fc.double(),
    fc.constantFrom(Number.NaN, -0, Number.POSITIVE_INFINITY, 5e-324, 0.1 + 0.2),
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\u0000", "\u0000NaN", "\u0000\u0000-0", "NaN", "\\u0000"),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      number,
      text,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(text, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      expect(fromExactJson(toExactJson(value))).toStrictEqual(value);
    }),
    { numRuns: 500 },
  );
});

test("plain values are plain JSON", () => {
  expect(toExactJson({ a: 1.5, b: "x" })).toBe('{"a":1.5,"b":"x"}');
});
