import { call } from "@orpc/server";
import { expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { pageThatTells } from "#main/hosts/page-api/base.ts";

const HEAD = { filename: "a.csv", mediaType: "text/csv", encoding: "utf8", parts: 1 } as const;

/** What a page gets, and the log, of a stream that breaks after its first part. */
const broken = async (error: unknown) => {
  const bugs: unknown[] = [];
  const render = pageThatTells((bug) => bugs.push(bug)).reports.render.handler(async function* () {
    yield HEAD;
    throw error;
  });
  const got: unknown[] = [];
  let refusal: unknown;
  try {
    for await (const part of await call(render, { format: "csv" })) got.push(part);
  } catch (reason) {
    refusal = reason;
  }
  return { got, refusal, bugs };
};

test("what a person can mend is told in the middle of a stream, too", async () => {
  const { got, refusal, bugs } = await broken(new UserError("Export it again."));
  expect(got).toEqual([HEAD]);
  expect(refusal).toMatchObject({ code: "PROBLEM", message: "Export it again." });
  expect(bugs).toEqual([]);
});

test("a bug in the middle of a stream is told to the log, once", async () => {
  const bug = new Error("no such column");
  const { refusal, bugs } = await broken(bug);
  expect(refusal).toBe(bug);
  expect(bugs).toEqual([bug]);
});

test("whoever leaves a stream ends it", async () => {
  let ended = false;
  const render = pageThatTells(() => {}).reports.render.handler(async function* () {
    try {
      for (;;) yield HEAD;
    } finally {
      ended = true;
    }
  });
  for await (const _ of await call(render, { format: "csv" })) break;
  expect(ended).toBe(true);
});
