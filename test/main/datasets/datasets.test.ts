import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "#contract/failure.ts";
import { type CatalogueDeps, createCatalogue, datasetSha256, loadDataset } from "#main/datasets/datasets.ts";
import { KNOWN, type KnownDataset } from "#main/datasets/known.ts";
import { startFileServer } from "./file-server.ts";
import { cifarBinary, fashionFiles, memoryRegistry, tarGz, temporaryFolder, writeFolder } from "./forms.ts";

const RESOURCES = join(import.meta.dirname, "../../../resources");
const DEBIAN = "/usr/share/datasets/fashion-mnist";
const NO_DEBIAN = process.env.CI !== "true" && !existsSync(DEBIAN);

const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => expect.unreachable("was accepted"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
};

const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");

/** Data sets in the exact form, written once. */
let forms: ReturnType<typeof temporaryFolder>;
let fashion: string;
let cifarArchive: string;
beforeAll(() => {
  forms = temporaryFolder();
  fashion = writeFolder(forms.path, "fashion", fashionFiles(60_000, 10_000));
  const { folder, files } = cifarBinary({ classes: 10 });
  cifarArchive = join(forms.path, "cifar-10-binary.tar.gz");
  writeFileSync(cifarArchive, tarGz(folder, files));
});
afterAll(() => forms.dispose());

let folder: ReturnType<typeof temporaryFolder>;
let registry: ReturnType<typeof memoryRegistry>;
beforeEach(() => {
  folder = temporaryFolder();
  registry = memoryRegistry();
});
afterEach(() => folder.dispose());

/** The known data sets as on a computer without Debian's package. */
const bare = KNOWN.map((entry): KnownDataset => ({ ...entry, places: [] }));
const open = (deps: Partial<CatalogueDeps> = {}) =>
  createCatalogue({
    resourcesDir: RESOURCES,
    dataDir: join(folder.path, "lab"),
    registry,
    known: bare,
    patience: { attempts: 2, retryMs: 5 },
    ...deps,
  });

describe("the catalogue", () => {
  it("lists what is there and what the rest would cost", async () => {
    const entries = await open().list();
    expect(entries.map((e) => [e.name, e.state])).toEqual([
      ["fashion-mnist-sample", "ready"],
      ["fashion-mnist", "missing"],
      ["cifar10", "missing"],
      ["cifar100", "missing"],
    ]);
    expect(entries[0]).toMatchObject({ verified: "official", terms: "MIT, Zalando SE" });
    expect(entries[0]!.bytes).toBeGreaterThan(2_000_000);
    expect(entries[2]).toMatchObject({ downloadBytes: 170_052_171 });
    expect(entries[2]!.next).toContain("dataset download cifar10");
  });

  it("finds the bundled sample, which loads", async () => {
    const location = await open().find("fashion-mnist-sample");
    expect(JSON.parse(JSON.stringify(location))).toEqual(location);
    expect((await loadDataset(location)).train.count).toBe(6000);
  });

  it.skipIf(NO_DEBIAN)("finds Debian's Fashion-MNIST by itself", async () => {
    const catalogue = open({ known: KNOWN });
    expect(await catalogue.find("fashion-mnist")).toEqual({
      name: "fashion-mnist",
      format: "fashion-mnist-idx",
      path: DEBIAN,
    });
    const entry = (await catalogue.list()).find((e) => e.name === "fashion-mnist");
    expect(entry).toMatchObject({ state: "ready", verified: "official", bytes: 30_878_551 });
  });

  it("says what to do about a name that is unknown or not here", async () => {
    expect(await refusalOf(open().find("imagenet"))).toMatch(
      /^dataset: "imagenet" is unknown \(known: fashion-mnist-sample, .*dataset add NAME PATH/,
    );
    expect(await refusalOf(open().find("cifar10"))).toMatch(
      /^dataset: cifar10 is not on this computer\. Get it: .*dataset download cifar10/,
    );
  });

  it("gives the bundled sample the SHA-256 that recorded studies know it by", async () => {
    const sample = await loadDataset(await open().find("fashion-mnist-sample"));
    expect(datasetSha256(sample)).toBe("4fc4693490134de1d4c23ad10e94a0c816b23deaa7c3dbd5b8f0c567dedd205f");
  });

  it("refuses a bundled sample that is not the one of its manifest", async () => {
    const resources = join(folder.path, "resources");
    cpSync(join(RESOURCES, "data"), join(resources, "data"), { recursive: true });
    const file = join(resources, "data/fashion-mnist-sample/t10k-labels-idx1-ubyte.gz");
    const bytes = readFileSync(file);
    bytes[100] = bytes[100]! ^ 1;
    writeFileSync(file, bytes);
    const catalogue = open({ resourcesDir: resources });
    expect((await catalogue.list())[0]).toMatchObject({ state: "damaged" });
    expect(await refusalOf(catalogue.find("fashion-mnist-sample"))).toMatch(
      /t10k-labels-idx1-ubyte\.gz: is not the file that came with the lab: expected SHA-256/,
    );
  });

  it("refuses other files in a system package's folder", async () => {
    const known = bare.map((entry) =>
      entry.name === "fashion-mnist"
        ? { ...entry, places: [{ format: "fashion-mnist-idx", path: fashion }] }
        : entry,
    );
    expect(await refusalOf(open({ known }).find("fashion-mnist"))).toMatch(
      /train-images-idx3-ubyte: is not the published file/,
    );
  });
});

describe("registration", () => {
  it("takes an archive under a name, in every later process too", async () => {
    const entry = await open().register({ name: "my-cifar", path: cifarArchive });
    expect(entry).toMatchObject({
      name: "my-cifar",
      state: "ready",
      format: "cifar10-binary",
      verified: "structure",
      bytes: statSync(cifarArchive).size,
    });
    const location = await open().find("my-cifar");
    expect((await loadDataset(location)).train.count).toBe(50_000);
    expect((await open().list()).at(-1)).toEqual(entry);
  });

  it("takes a folder under the data set's own name, also from the folder above it", async () => {
    mkdirSync(join(folder.path, "root/FashionMNIST"), { recursive: true });
    cpSync(fashion, join(folder.path, "root/FashionMNIST/raw"), { recursive: true });
    const entry = await open().register({ path: join(folder.path, "root") });
    expect(entry).toMatchObject({ name: "fashion-mnist", state: "ready" });
    expect(entry.where).toBe(join(folder.path, "root/FashionMNIST/raw"));
  });

  it("takes Fashion-MNIST's compressed files inside an archive", async () => {
    const packed = new Map(
      [...fashionFiles(60_000, 10_000)].map(([name, make]) => [
        `${name}.gz`,
        () => gzipSync(make(), { level: 1 }),
      ]),
    );
    const path = join(folder.path, "fashion.tgz");
    writeFileSync(path, tarGz("fashion", packed));
    await open().register({ name: "packed", path });
    const mine = await loadDataset(await open().find("packed"));
    const there = await loadDataset({ name: "x", format: "fashion-mnist-idx", path: fashion });
    expect(datasetSha256(mine)).toBe(datasetSha256(there));
  });

  it("notices a file that is changed later, even with its size and times kept", async () => {
    const path = join(folder.path, "mine");
    cpSync(fashion, path, { recursive: true });
    const catalogue = open();
    await catalogue.register({ name: "mine", path });
    const file = join(path, "train-images-idx3-ubyte");
    const { atime, mtime } = statSync(file);

    chmodSync(file, 0o600); // touched, but not changed
    await catalogue.find("mine");

    const bytes = readFileSync(file);
    bytes[5_000_000] = bytes[5_000_000]! ^ 1;
    writeFileSync(file, bytes);
    utimesSync(file, atime, mtime);
    for (const again of [catalogue, open()]) {
      expect(await refusalOf(again.find("mine"))).toMatch(
        /mine\/train-images-idx3-ubyte: changed since it was registered: expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64} .*dataset add mine PATH/,
      );
      expect((await again.list()).at(-1)).toMatchObject({ name: "mine", state: "damaged" });
    }
    rmSync(file);
    expect(await refusalOf(catalogue.find("mine"))).toMatch(
      /train-images-idx3-ubyte: is missing; the registered data set had it/,
    );
  });

  it("does not digest again what it digested before, once the files have settled", async () => {
    const path = join(folder.path, "mine");
    cpSync(fashion, path, { recursive: true });
    await open().register({ name: "mine", path });
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await open().find("mine");
    const memory = JSON.parse(readFileSync(join(folder.path, "lab/datasets/checked.json"), "utf8"));
    expect(Object.keys(memory).filter((file) => file.startsWith(path)).length).toBe(4);
    // what is remembered is trusted: with a false checksum in both places the untouched file is not read again
    const entry = registry.list()[0]!;
    const [file, sha256] = ["train-images-idx3-ubyte", "0".repeat(64)];
    registry.save({ ...entry, sha256s: { ...entry.sha256s, [file]: sha256 } });
    const checked = join(folder.path, "lab/datasets/checked.json");
    writeFileSync(
      checked,
      JSON.stringify({ ...memory, [join(path, file)]: { ...memory[join(path, file)], sha256 } }),
    );
    await open().find("mine");
    rmSync(checked);
    expect(await refusalOf(open().find("mine"))).toMatch(/expected SHA-256 0000/);
  });

  it("keeps apart what a file was under one name and what it is under another", async () => {
    const path = join(folder.path, "mine");
    cpSync(fashion, path, { recursive: true });
    await open().register({ name: "one", path });
    const file = join(path, "train-images-idx3-ubyte");
    const bytes = readFileSync(file);
    bytes[5_000_000] = bytes[5_000_000]! ^ 1;
    writeFileSync(file, bytes);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(await open().register({ name: "two", path })).toMatchObject({ state: "ready" });
    const states = async () => (await open().list()).slice(-2).map(({ name, state }) => [name, state]);
    for (let again = 0; again < 2; again++) {
      expect(await states()).toEqual([
        ["one", "damaged"],
        ["two", "ready"],
      ]);
    }
    expect(await refusalOf(open().find("one"))).toMatch(
      /mine\/train-images-idx3-ubyte: changed since it was registered/,
    );
  });

  it.each([
    ["a name with a slash", "a/b", /name "a\/b" cannot be used/],
    ["a name that means something else", "on-clients", /has a special meaning in study files/],
    ["another data set's name", "cifar100", /is CIFAR-10 .* cannot be called cifar100/],
    ["the bundled sample's name", "fashion-mnist-sample", /cannot be called fashion-mnist-sample/],
  ])("refuses %s", async (_, name, message) => {
    expect(await refusalOf(open().register({ name, path: cifarArchive }))).toMatch(message);
    expect(registry.list()).toEqual([]);
  });

  it("refuses what is no data set, incomplete, damaged or two at once, and says so", async () => {
    const refuse = (path: string) => refusalOf(open().register({ path }));
    expect(await refuse(join(folder.path, "nowhere"))).toMatch(/nowhere: does not exist/);
    expect(await refuse(folder.path)).toMatch(/contains no known data set.*; expected the files of CIFAR-10/);

    const part = join(folder.path, "part");
    cpSync(fashion, part, { recursive: true });
    rmSync(join(part, "t10k-labels-idx1-ubyte"));
    expect(await refuse(part)).toMatch(
      /part: looks like Fashion-MNIST .*, but t10k-labels-idx1-ubyte.* is missing/,
    );

    writeFileSync(join(part, "t10k-labels-idx1-ubyte"), Buffer.alloc(10_008));
    expect(await refuse(part)).toMatch(/t10k-labels-idx1-ubyte: starts with 0x00000000/);

    const two = join(folder.path, "two");
    cpSync(fashion, join(two, "a"), { recursive: true });
    cpSync(fashion, join(two, "b"), { recursive: true });
    expect(await refuse(two)).toMatch(/contains more than one data set: fashion-mnist-idx in .*a, .*b/);

    expect(await refuse(join(RESOURCES, "data/fashion-mnist-sample"))).toMatch(/expected|holds 6000/);
    expect(registry.list()).toEqual([]);
  });
});

describe("a download by name", () => {
  const files = new Map([...fashionFiles(60_000, 10_000)].map(([name, make]) => [name, make()]));
  const parcels = [...files].map(([file, bytes]) => ({ file, bytes: bytes.length, md5: md5(bytes) }));
  const knownFrom = (...bases: string[]) =>
    bare.map((entry) =>
      entry.name === "fashion-mnist" ? { ...entry, download: { bases, parcels } } : entry,
    );

  it("brings all files, resumes after cuts, registers, and needs no network the second time", async () => {
    const server = await startFileServer(files, { cutAfter: 20_000_000 });
    const catalogue = open({ known: knownFrom(`${server.url}/some/folder`) });
    const progress: number[] = [];
    const total = parcels.reduce((sum, p) => sum + p.bytes, 0);
    const entry = await catalogue.download("fashion-mnist", {
      onProgress: (done, of) => {
        progress.push(done);
        expect(of).toBe(total);
      },
    });
    await server.close();
    expect(entry).toMatchObject({ name: "fashion-mnist", state: "ready" });
    expect(entry.where).toBe(join(folder.path, "lab/datasets/fashion-mnist"));
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(total);
    const here = await loadDataset(await catalogue.find("fashion-mnist"));
    const there = await loadDataset({ name: "x", format: "fashion-mnist-idx", path: fashion });
    expect(datasetSha256(here)).toBe(datasetSha256(there));
    expect(await catalogue.download("fashion-mnist")).toMatchObject({ state: "ready" });
  });

  it("asks a lab's own mirror first, and repairs a damaged copy", async () => {
    const [mirror, usual] = [await startFileServer(files), await startFileServer(files)];
    const catalogue = open({ known: knownFrom(usual.url), mirrors: [mirror.url] });
    await catalogue.download("fashion-mnist");
    const file = join(folder.path, "lab/datasets/fashion-mnist/t10k-labels-idx1-ubyte");
    writeFileSync(file, "damaged");
    expect(await refusalOf(catalogue.find("fashion-mnist"))).toMatch(/dataset download fashion-mnist/);
    const before = mirror.requests.length;
    expect(await catalogue.download("fashion-mnist")).toMatchObject({ state: "ready" });
    expect(mirror.requests.length).toBe(before + 1);
    expect(usual.requests).toEqual([]);
    await mirror.close();
    await usual.close();
  });

  it.skipIf(NO_DEBIAN)("gets the published Fashion-MNIST by its published checksums", async () => {
    // Debian's files with the name and the time of 2017-08-31 back in their gzip headers are the publisher's
    const published = new Map(
      ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"].map((stem) => {
        const name = `${stem}-ubyte`;
        const packed = readFileSync(join(DEBIAN, `${name}.gz`));
        const header = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]);
        header.writeUInt32LE(stem.startsWith("train") ? 1_504_176_606 : 1_504_176_627, 4);
        return [
          `${name}.gz`,
          Buffer.concat([header, Buffer.from(`${name}\0`), packed.subarray(10)]),
        ] as const;
      }),
    );
    const server = await startFileServer(published);
    const known = bare.map((e) => (e.download ? { ...e, download: { ...e.download, bases: [] } } : e));
    const entry = await open({ known, mirrors: [server.url] }).download("fashion-mnist");
    await server.close();
    expect(entry).toMatchObject({ state: "ready", verified: "official", bytes: entry.downloadBytes });

    const unpacked = new Map([...published].map(([name, b]) => [name.slice(0, -3), () => gunzipSync(b)]));
    const path = writeFolder(folder.path, "unpacked", unpacked);
    expect(await open().register({ name: "unpacked", path })).toMatchObject({ verified: "official" });
  });

  it("refuses names that cannot be downloaded", async () => {
    expect(await refusalOf(open().download("fashion-mnist-sample"))).toMatch(
      /cannot be downloaded\. These can: fashion-mnist, cifar10, cifar100\./,
    );
  });
});
