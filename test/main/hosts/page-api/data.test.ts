import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createRouterClient } from "@orpc/server";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Transfer } from "#contract/views.ts";
import { createDataWorker } from "#main/datasets/data-worker.ts";
import { createCatalogue } from "#main/datasets/datasets.ts";
import { KNOWN, type KnownDataset } from "#main/datasets/known.ts";
import { type DataPorts, dataHandlers } from "#main/hosts/page-api/data-handlers.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { openStore } from "#main/store/store.ts";
import { type Habits, startFileServer } from "#test/main/datasets/file-server.ts";
import { cifarBinary, fashionFiles, tarGz, writeFolder } from "#test/main/datasets/forms.ts";

const RESOURCES = join(import.meta.dirname, "../../../../resources");
const dataWorker = createDataWorker({
  fork: forkNode,
  entry: new URL("../../../../src-main/processes/data-worker.ts", import.meta.url),
});

afterAll(() => dataWorker.close());

let folder: string;
let closers: (() => unknown)[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fedfleet-data-page-"));
  closers = [];
});
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

interface Told {
  readonly at: number;
  readonly transfer?: Transfer;
}

const open = (options: { known?: readonly KnownDataset[]; mirrors?: readonly string[] } = {}) => {
  const store = openStore({ dataDir: join(folder, "lab") });
  const closed = new AbortController();
  closers.push(
    () => store.close(),
    () => closed.abort(),
  );
  const catalogue = createCatalogue({
    resourcesDir: RESOURCES,
    dataDir: store.dataDir,
    registry: store.datasets,
    known: options.known ?? KNOWN.map((entry) => ({ ...entry, places: [] })),
    mirrors: options.mirrors ?? [],
    patience: { attempts: 1, retryMs: 5 },
    examine: dataWorker.examine,
  });
  const told: Told[] = [];
  const bugs: unknown[] = [];
  let sheets = 0;
  const ports: DataPorts = {
    catalogue,
    registry: store.datasets,
    samples(location, perClass) {
      sheets += 1;
      return dataWorker.samples(location, perClass);
    },
    tell: (notice) =>
      void told.push({
        at: performance.now(),
        ...(notice.kind === "transfer" ? { transfer: notice.transfer } : {}),
      }),
    onBug: (error) => bugs.push(error),
    home: folder,
    closed: closed.signal,
  };
  const client = createRouterClient({ data: dataHandlers(ports) }).data;
  return {
    client,
    told,
    bugs,
    transfers: () => told.flatMap(({ transfer }) => transfer ?? []),
    sheets: () => sheets,
    close: () => closed.abort(),
  };
};

const problemOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => expect.unreachable("was accepted"),
    (e: unknown) => e,
  );
  expect(error).toMatchObject({ code: "PROBLEM", defined: true });
  return (error as Error).message;
};

const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");
const { folder: cifarFolder, files: cifarFiles } = cifarBinary({ classes: 10 });
const archive = tarGz(cifarFolder, cifarFiles);

/** A server with the archive, and CIFAR-10 as if that were what its publisher hands out. */
const mirrored = async (habits: Habits = {}, bytes = archive) => {
  const server = await startFileServer(new Map([["cifar-10-binary.tar.gz", bytes]]), habits);
  closers.push(() => server.close());
  const known = KNOWN.map(
    (entry): KnownDataset => ({
      ...entry,
      places: [],
      ...(entry.name === "cifar10"
        ? {
            download: {
              bases: [server.url],
              parcels: [{ file: "cifar-10-binary.tar.gz", bytes: archive.length, md5: md5(archive) }],
            },
          }
        : {}),
    }),
  );
  return { server, known };
};

describe("the data page", () => {
  it("lists what there is in plain sentences, without commands", async () => {
    const { client } = open();
    const { entries, transfers } = await client.view();
    expect(transfers).toEqual([]);
    expect(entries[0]).toMatchObject({
      name: "fashion-mnist-sample",
      state: "ready",
      verified: "official",
      registered: false,
    });
    expect(entries.find((e) => e.name === "cifar10")).toMatchObject({
      state: "missing",
      downloadBytes: 170_052_171,
      next: "Download it, or register a copy that you already have.",
    });
    expect(JSON.stringify(entries)).not.toMatch(/npm|fedfleet --/);
  });

  it("shows the pictures of a data set, made once", async () => {
    const { client, sheets } = open();
    const [one, two] = await Promise.all([
      client.samples({ name: "fashion-mnist-sample" }),
      client.samples({ name: "fashion-mnist-sample" }),
    ]);
    expect(one).toMatchObject({ train: 6000, test: 1000, columns: 10, width: 32, height: 32 });
    expect(one.sheet).toMatch(/^data:image\/png;base64,iVBORw0KGgo/);
    expect(two).toEqual(one);
    expect(sheets()).toBe(1);
    expect(await problemOf(client.samples({ name: "cifar10" }))).toBe(
      "cifar10 is not on this computer. Download it, or register a copy that you already have.",
    );
    expect(await problemOf(client.samples({ name: "x" }))).toContain("no data set called x");
  });

  it("registers a folder, shows its pictures, and takes it off the list", async () => {
    const { client, transfers, told, sheets } = open();
    const path = writeFolder(folder, "fashion", fashionFiles(60_000, 10_000));
    const entry = await client.register({ name: "mine", path });
    expect(entry).toMatchObject({ name: "mine", state: "ready", registered: true, verified: "structure" });
    expect(transfers().map(({ name, what, state }) => [name, what, state])).toEqual([
      ["mine", "register", "running"],
      ["mine", "register", "done"],
    ]);
    expect(told.at(-1)?.transfer).toBeUndefined(); // the catalogue changed
    expect((await client.samples({ name: "mine" })).train).toBe(60_000);
    const after = await client.remove({ name: "mine" });
    expect(after.entries.some((e) => e.name === "mine")).toBe(false);
    expect(await problemOf(client.remove({ name: "mine" }))).toContain("was not registered");
    // another one of that name gets a sheet of its own
    await client.register({ name: "mine", path });
    await client.samples({ name: "mine" });
    expect(sheets()).toBe(2);
  });

  it("says what is wrong with what cannot be registered", async () => {
    const { client, transfers } = open();
    mkdirSync(join(folder, "empty"));
    const problem = await problemOf(client.register({ path: join(folder, "empty") }));
    expect(problem).toContain(join(folder, "empty"));
    expect(problem).not.toMatch(/^dataset:/);
    expect(transfers().at(-1)).toMatchObject({ name: "empty", state: "failed", problem });
    expect((await client.view()).transfers).toEqual([]);
  });
});

describe("a download", () => {
  it("tells how far it is at most four times a second, and ends on the list", async () => {
    const { known } = await mirrored();
    const { client, told, transfers } = open({ known });
    const begun = await client.download({ name: "cifar10" });
    expect(begun.transfers).toMatchObject([{ name: "cifar10", what: "download", state: "running" }]);
    await vi.waitFor(() => expect(transfers().at(-1)?.state).toBe("done"), { timeout: 30_000 });
    await vi.waitFor(() => expect(told.at(-1)?.transfer).toBeUndefined());
    const { entries, transfers: left } = await client.view();
    expect(entries.find((e) => e.name === "cifar10")).toMatchObject({ state: "ready", registered: true });
    expect(left).toEqual([]);
    const running = told.filter(({ transfer }) => transfer?.state === "running");
    for (const [i, { at }] of running.entries()) {
      if (i > 0) expect(at - running[i - 1]!.at).toBeGreaterThanOrEqual(250);
    }
    expect((await client.samples({ name: "cifar10" })).classes).toHaveLength(10);
  });

  it("can be stopped, keeps what is there, and goes on from it", async () => {
    const half = Math.floor(archive.length / 2);
    const { server, known } = await mirrored({ cutAfter: half, cuts: 1, stall: true });
    const { client, transfers } = open({ known });
    await client.download({ name: "cifar10" });
    await vi.waitFor(async () => expect((await client.view()).transfers[0]?.done).toBe(half));
    // asked for again it stays the one that runs
    expect((await client.download({ name: "cifar10" })).transfers).toHaveLength(1);
    expect(await problemOf(client.register({ name: "cifar10", path: folder }))).toContain("being downloaded");
    expect(await problemOf(client.remove({ name: "cifar10" }))).toContain("being downloaded");
    const stopped = await client.stopDownload({ name: "cifar10" });
    expect(stopped.transfers).toMatchObject([
      { name: "cifar10", state: "stopped", done: half, total: archive.length },
    ]);
    expect(stopped.transfers[0]?.problem).toBeUndefined();
    expect(await problemOf(client.stopDownload({ name: "cifar10" }))).toContain("not being downloaded");
    await client.download({ name: "cifar10" });
    await vi.waitFor(() => expect(transfers().at(-1)?.state).toBe("done"), { timeout: 30_000 });
    expect(server.requests.map(({ range }) => range)).toEqual([undefined, `bytes=${half}-`]);
  });

  it("that fails says why, stays on the list as failed, and can be tried again", async () => {
    const { known } = await mirrored({}, Buffer.from("not the archive"));
    const { client, transfers, bugs } = open({ known });
    await client.download({ name: "cifar10" });
    await vi.waitFor(() => expect(transfers().at(-1)?.state).toBe("failed"), { timeout: 30_000 });
    const [failed] = (await client.view()).transfers;
    expect(failed?.problem).toMatch(/^cifar-10-binary\.tar\.gz could not be downloaded/);
    expect(failed?.problem).toContain("wrong checksum");
    expect(bugs).toEqual([]);
    const again = await client.download({ name: "cifar10" });
    expect(again.transfers).toMatchObject([{ state: "running" }]);
    await vi.waitFor(() => expect(transfers().at(-1)?.state).toBe("failed"), { timeout: 30_000 });
  });

  it("stops when the lab closes", async () => {
    const { known } = await mirrored({ cutAfter: 1000, stall: true });
    const { client, transfers, close } = open({ known });
    await client.download({ name: "cifar10" });
    await sleep(100);
    close();
    await vi.waitFor(() => expect(transfers().at(-1)?.state).toBe("stopped"));
  });

  it("of what cannot be downloaded is refused", async () => {
    const { client } = open();
    expect(await problemOf(client.download({ name: "fashion-mnist-sample" }))).toContain(
      "cannot be downloaded",
    );
    expect(await problemOf(client.download({ name: "x" }))).toContain("no data set called x");
  });
});

describe("choosing a folder", () => {
  it("shows folders and files that could be data, by name", async () => {
    const { client } = open();
    for (const name of ["b10", "b9", ".hidden"]) mkdirSync(join(folder, name));
    for (const name of ["x.tar.gz", "notes.txt", "data_batch_1", ".x.bin", "a-ubyte"])
      writeFileSync(join(folder, name), "123");
    symlinkSync(join(folder, "b9"), join(folder, "link"));
    symlinkSync(join(folder, "nowhere"), join(folder, "broken.gz"));
    const view = await client.browse({});
    expect(view).toEqual({
      path: folder,
      parent: tmpdir(),
      home: folder,
      folders: ["b9", "b10", "lab", "link"],
      files: [
        { name: "a-ubyte", bytes: 3 },
        { name: "data_batch_1", bytes: 3 },
        { name: "x.tar.gz", bytes: 3 },
      ],
      more: false,
    });
    expect((await client.browse({ path: "~/b9" })).path).toBe(join(folder, "b9"));
    expect((await client.browse({ path: "/" })).parent).toBeUndefined();
  });

  it("ends at five hundred", async () => {
    const { client } = open();
    for (let i = 0; i < 499; i++) mkdirSync(join(folder, `f${i}`));
    for (const name of ["1.gz", "2.gz"]) writeFileSync(join(folder, name), "");
    const view = await client.browse({ path: folder });
    expect(view.folders.length + view.files.length).toBe(500);
    expect(view.more).toBe(true);
  });

  it("names the folder that cannot be opened", async () => {
    const { client } = open();
    expect(await problemOf(client.browse({ path: join(folder, "none") }))).toBe(
      `${join(folder, "none")} cannot be opened: the folder does not exist. Choose another folder.`,
    );
    writeFileSync(join(folder, "file"), "");
    expect(await problemOf(client.browse({ path: join(folder, "file") }))).toContain("not a folder");
    if (process.getuid?.() === 0) return; // root may read everything
    mkdirSync(join(folder, "shut"));
    chmodSync(join(folder, "shut"), 0);
    expect(await problemOf(client.browse({ path: join(folder, "shut") }))).toContain("permission to read it");
  });
});
