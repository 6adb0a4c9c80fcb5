import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { UserError } from "#contract/failure.ts";
import { type DownloadOptions, downloadFile, type FileProgress } from "#main/datasets/download.ts";
import { type Habits, startFileServer } from "./file-server.ts";
import { temporaryFolder } from "./forms.ts";

const FILE = randomBytes(300_000);
const MD5 = createHash("md5").update(FILE).digest("hex");

let folder: ReturnType<typeof temporaryFolder>;
let target: string;
const servers: { close(): Promise<void> }[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  target = join(folder.path, "deep", "file.bin");
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  folder.dispose();
});

const serve = async (habits: Habits = {}, file = FILE) => {
  const server = await startFileServer(new Map([["file.bin", file]]), habits);
  servers.push(server);
  return server;
};

const download = (urls: readonly string[], more: Partial<DownloadOptions> = {}) =>
  downloadFile({
    urls: urls.map((url) => `${url}/file.bin`),
    target,
    md5: MD5,
    bytes: FILE.length,
    attempts: 2,
    retryMs: 5,
    stallMs: 5_000,
    ...more,
  });

const refusalOf = async (promise: Promise<unknown>): Promise<UserError> => {
  const error = await promise.then(
    () => expect.unreachable("succeeded"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
};

const expectWhole = () => {
  expect(Buffer.compare(readFileSync(target), FILE)).toBe(0);
  expect(existsSync(`${target}.part`)).toBe(false);
};

it("brings a file, with progress that rises to its size", async () => {
  const server = await serve();
  const seen: FileProgress[] = [];
  await download([server.url], { onProgress: (p) => seen.push(p) });
  expectWhole();
  expect(seen.map((p) => p.bytes)).toEqual(seen.map((p) => p.bytes).sort((a, b) => a - b));
  expect(seen.at(-1)).toMatchObject({ file: "file.bin", bytes: FILE.length, total: FILE.length });
});

it("goes on where a cut connection ended, as often as it takes", async () => {
  const server = await serve({ cutAfter: 70_000 });
  await download([server.url]);
  expectWhole();
  expect(server.requests.length).toBe(5);
  expect(server.requests.map((r) => r.range)).toEqual([
    undefined,
    "bytes=70000-",
    "bytes=140000-",
    "bytes=210000-",
    "bytes=280000-",
  ]);
});

it("goes on after a restart of the program, from what was kept", async () => {
  const server = await serve();
  writeFileSync(join(folder.path, "file.bin.part"), FILE.subarray(0, 123_456));
  target = join(folder.path, "file.bin");
  await download([server.url]);
  expectWhole();
  expect(server.requests.map((r) => r.range)).toEqual(["bytes=123456-"]);
});

it("takes a part that is already whole", async () => {
  const server = await serve();
  target = join(folder.path, "file.bin");
  writeFileSync(`${target}.part`, FILE);
  await download([server.url]);
  expectWhole();
});

it("starts over where a server knows no ranges", async () => {
  const server = await serve({ cutAfter: 100_000, cuts: 1, noRanges: true });
  await download([server.url]);
  expectWhole();
  expect(server.requests.length).toBe(2);
});

it("starts over where a server answers with another range", async () => {
  const server = await serve({ cutAfter: 100_000, cuts: 1, wrongRange: true });
  await download([server.url], { attempts: 3 });
  expectWhole();
});

it("keeps a wrong file aside, names it, and takes the next place", async () => {
  const wrong = Buffer.from(FILE);
  wrong[1000] = wrong[1000]! ^ 1;
  const [bad, good] = [await serve({}, wrong), await serve()];
  await download([bad.url, good.url]);
  expectWhole();
  expect(Buffer.compare(readFileSync(`${target}.wrong-1`), wrong)).toBe(0);

  const error = await refusalOf(download([bad.url]));
  expect(error.message).toContain(`expected MD5 ${MD5}, found`);
  expect(error.message).toContain(`kept as ${target}.wrong-2`);
  expect(error.message).toMatch(/download it on another computer, copy it here and register it/);
});

it("does not blame a place for the wrong part that was there before", async () => {
  const server = await serve();
  target = join(folder.path, "file.bin");
  writeFileSync(`${target}.part`, randomBytes(1000));
  await download([server.url]);
  expectWhole();
  expect(server.requests.map((r) => r.range)).toEqual(["bytes=1000-", undefined]);
});

it("says of every place why it has not got the file", async () => {
  const [gone, broken] = [await serve({ status: 404 }), await serve({ status: 503 })];
  const dead = await serve();
  await dead.close();
  const error = await refusalOf(download([gone.url, broken.url, dead.url]));
  expect(error.message).toContain(`${gone.url}/file.bin: status 404`);
  expect(error.message).toContain(`${broken.url}/file.bin: status 503`);
  expect(error.message).toMatch(/ECONNREFUSED/);
  expect(gone.requests.length).toBe(1); // no second attempt at what is not there
  expect(broken.requests.length).toBe(2);
});

it("gives up a connection that says nothing more, and goes on from its bytes", async () => {
  const server = await serve({ cutAfter: 100_000, cuts: 1, stall: true });
  await download([server.url], { stallMs: 200 });
  expectWhole();
  expect(server.requests.map((r) => r.range)).toEqual([undefined, "bytes=100000-"]);
});

it("leaves a place that never says anything for the next", async () => {
  const [silent, good] = [await serve({ cutAfter: 0, stall: true }), await serve()];
  await download([silent.url, good.url], { stallMs: 100 });
  expectWhole();
  expect([silent.requests.length, good.requests.length]).toEqual([2, 1]);
});

it("stops when it is told to, says so, and goes on later", async () => {
  const slow = await serve({ cutAfter: 100_000, cuts: 1, stall: true });
  const control = new AbortController();
  const stopped = refusalOf(
    download([slow.url], {
      signal: control.signal,
      onProgress: ({ bytes }) => {
        if (bytes >= 100_000) setTimeout(() => control.abort(), 20);
      },
    }),
  );
  expect((await stopped).message).toMatch(/was stopped; 100000 bytes are kept/);
  expect((await stopped).exitCode).toBe(130);
  await download([slow.url]);
  expectWhole();
  expect(slow.requests.at(-1)!.range).toBe("bytes=100000-");
});

it("follows a redirect, and not for ever", async () => {
  const good = await serve();
  const pointer = await serve({ redirectTo: good.url });
  await download([pointer.url]);
  expectWhole();

  const circle = await startFileServer(new Map(), { redirectTo: "" });
  servers.push(circle);
  const error = await refusalOf(download([circle.url], { attempts: 1 }));
  expect(error.message).toMatch(/redirects/);
  expect(circle.requests.length).toBeLessThan(10);
});

it("takes the bytes as they are where a server marks a .gz file as packed", async () => {
  const packed = gzipSync(FILE);
  const server = await serve({ contentEncoding: "x-gzip" }, packed);
  await download([server.url], { md5: createHash("md5").update(packed).digest("hex") });
  expect(Buffer.compare(readFileSync(target), packed)).toBe(0);
});

it("ends a body that does not end", async () => {
  const endless = await serve({}, Buffer.alloc(3_000_000));
  const error = await refusalOf(download([endless.url]));
  expect(error.message).toMatch(/offers 3000000 bytes, expected 300000/);
  expect(readdirSync(join(folder.path, "deep"))).toEqual([]);
});
