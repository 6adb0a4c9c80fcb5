import { inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { EXPORT_FORMAT_NAMES } from "#contract/export-formats.ts";
import { putTogether } from "#contract/exported.ts";
import { UserError } from "#contract/failure.ts";
import type { ExportPart } from "#contract/views.ts";
import type { Chosen, Rendered } from "#main/hosts/page-api/reports-handlers.ts";
import { inParts, renderReport } from "#main/lab/report-files.ts";
import { createReportProcess } from "#main/lab/report-process.ts";
import { createReportWork } from "#main/lab/report-work.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { openStore, type Store } from "#main/store/store.ts";
import {
  plannedRuns,
  sampleEngine,
  samplePartition,
  sampleRound,
  sampleStudy,
  sampleTensors,
  sampleUpdate,
  temporaryFolder,
} from "#test/main/store/samples.ts";

const folder = temporaryFolder();
const entry = new URL("../../../src-main/processes/report-worker.ts", import.meta.url);
const open = (idleMs = 60_000) =>
  createReportProcess({ fork: forkNode, entry, dataDir: folder.path, idleMs });
const reports = open();
const devices = Array.from({ length: 20 }, (_, i) => `virtual-${i + 1}`);
let store: Store;
let first: Chosen;
let second: Chosen;

const record = async (name: string, rounds: number): Promise<Chosen> => {
  const { id, runs } = store.studies.create({
    study: sampleStudy({ name }),
    partition: samplePartition(),
    classes: ["a", "b", "c", "d"],
    datasetSha: "ab12",
    engine: sampleEngine,
    runs: plannedRuns,
  });
  for (const { id: run } of runs) {
    for (let round = 0; round <= rounds; round += 1) {
      const updates = devices.map((device) => sampleUpdate(device));
      const result = sampleRound(round, { clients: devices, drawn: devices, updates });
      const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
      store.recordRound({ run, result, checkpoint });
    }
  }
  return { study: id, runs: runs.map((run) => run.id), whole: true };
};
const textOf = async ({ parts }: Rendered): Promise<string> => {
  const texts: string[] = [];
  for await (const text of parts) texts.push(text);
  return texts.join("");
};

beforeAll(async () => {
  store = openStore({ dataDir: folder.path });
  first = await record("long, Ünit 😀", 25);
  second = await record("short", 2);
});
afterAll(async () => {
  await reports.close();
  store.close();
  folder.remove();
});

describe("the process that renders reports", () => {
  test.each(EXPORT_FORMAT_NAMES)("gives the %s that this process would, byte by byte", async (format) => {
    const part: Chosen = { ...second, runs: second.runs.slice(1, 3), whole: false };
    for (const chosen of [[first], [second, first], [part]]) {
      const there = await textOf(await reports.render(chosen, { at: "best" }, format));
      const here = await renderReport(store, chosen, { at: "best" }, format);
      if (typeof here === "string") expect(there).toBe(here);
      else expect(unzipped(Buffer.from(there, "base64"))).toEqual(unzipped(here));
    }
    expect(reports.pid).toBeGreaterThan(0);
    expect(reports.pid).not.toBe(process.pid);
  });

  test("sends what is long in parts", async () => {
    const { count, encoding } = await reports.render([first], { at: "last" }, "json");
    expect(encoding).toBe("utf8");
    expect(count).toBeGreaterThan(1);
  });

  test("sees what was recorded a moment ago", async () => {
    const chosen = await record("just now", 1);
    const { runs } = JSON.parse(await textOf(await reports.render([chosen], { at: "last" }, "json")));
    expect(runs.map((run: { rounds: unknown[] }) => run.rounds.length)).toEqual(plannedRuns.map(() => 2));
  });

  test("tells of a study that was removed meanwhile, and is none the worse for it", async () => {
    const { pid } = reports;
    const gone = { study: "s-none", runs: [], whole: true };
    const refusal = await reports.render([gone], { at: "last" }, "csv").catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UserError);
    expect((refusal as UserError).message).toMatch(/The study s-none was deleted/);
    expect(await textOf(await reports.render([second], { at: "last" }, "csv"))).toContain("fedavg");
    expect(reports.pid).toBe(pid);
  });

  test("renders no report that the page no longer wants, and says so immediately", async () => {
    const asker = new AbortController();
    let isRendered = false;
    const waited = reports.render([first], { at: "last" }, "xlsx").finally(() => {
      isRendered = true;
    });
    const left = reports.render([first], { at: "last" }, "xlsx", asker.signal);
    asker.abort();
    await expect(left).rejects.toThrow(/no longer wants/);
    expect(isRendered).toBe(false);
    expect((await waited).count).toBeGreaterThan(0);
  });

  test("starts with its first work, ends when it is idle, and starts again", async () => {
    const other = open(100);
    expect(other.pid).toBeUndefined();
    await textOf(await other.render([second], { at: "last" }, "csv"));
    expect(other.pid).toBeGreaterThan(0);
    await vi.waitFor(() => expect(other.pid).toBeUndefined(), { timeout: 5000 });
    expect(await textOf(await other.render([second], { at: "last" }, "csv"))).toContain("fedavg");
    await other.close();
  });

  test("rejects what waits when it is closed", async () => {
    const other = open();
    const waiting = other.render([second], { at: "last" }, "csv").catch((error: unknown) => error);
    await new Promise(setImmediate);
    await other.close();
    expect(await waiting).toMatchObject({ name: "UserError", message: expect.stringContaining("closing") });
    await expect(other.render([second], { at: "last" }, "csv")).rejects.toThrow(/closing/);
  });

  test("keeps a few reports that are not fetched, and each no longer than until it is", async () => {
    const { render, part } = createReportWork();
    const takes = { dataDir: folder.path, chosen: [second], figure: { at: "last" }, format: "csv" } as const;
    const made: number[] = [];
    for (let i = 0; i < 5; i += 1) made.push((await render(takes)).report);
    await expect(part({ report: made[0]!, index: 0 })).rejects.toThrow(/not downloaded in time/);
    expect(await part({ report: made[1]!, index: 0 })).toContain("fedavg");
    await expect(part({ report: made[1]!, index: 0 })).rejects.toThrow(UserError);
  });
});

describe("a file in parts", () => {
  test("is cut between characters, and is whole again in the page", async () => {
    const text = `x${"😀".repeat(400_000)}`;
    const { parts, count, encoding } = inParts(text);
    expect(count).toBe(parts.length);
    expect(count).toBeGreaterThan(2);
    for (const part of parts) expect(part.isWellFormed()).toBe(true);
    const head = { filename: "f.csv", mediaType: "text/csv", encoding, parts: count };
    expect((await putTogether(arriving([head, ...parts.map((part) => ({ text: part }))]))).content).toBe(
      text,
    );
  });

  test("that does not arrive whole is no file", async () => {
    const head = { filename: "f.csv", mediaType: "text/csv", encoding: "utf8", parts: 2 } as const;
    await expect(putTogether(arriving([head, { text: "half" }]))).rejects.toThrow(/Export it again/);
    await expect(putTogether(arriving([]))).rejects.toThrow(/Export it again/);
  });
});

async function* arriving(parts: readonly ExportPart[]): AsyncGenerator<ExportPart> {
  yield* parts;
}

/** Names and contents of a zip's files, without the times at which they were packed. */
const unzipped = (bytes: Uint8Array): Record<string, string> => {
  const zip = Buffer.from(bytes);
  const files: Record<string, string> = {};
  const end = zip.lastIndexOf("PK\u0005\u0006", undefined, "latin1");
  let at = zip.readUInt32LE(end + 16);
  for (let i = zip.readUInt16LE(end + 10); i > 0; i -= 1) {
    const name = zip.toString("utf8", at + 46, at + 46 + zip.readUInt16LE(at + 28));
    const local = zip.readUInt32LE(at + 42);
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(from, from + zip.readUInt32LE(at + 20));
    const content = zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed);
    // when the workbook was made
    files[name] = content.toString("utf8").replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "");
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return files;
};
