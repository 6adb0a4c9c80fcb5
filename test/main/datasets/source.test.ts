import { spawnSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { UserError } from "#contract/failure.ts";
import { openSource } from "#main/datasets/open-source.ts";
import { tar, tarEntry, temporaryFolder } from "./forms.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.dispose());

const FILES = new Map([
  ["a", Buffer.from("first")],
  ["b", Buffer.alloc(3000, 7)],
]);
const LIMITS = new Map([...FILES].map(([name, { length }]) => [name, { min: length, max: length }]));

const readAll = async (path: string, limits = LIMITS) => {
  const found = new Map<string, Buffer>();
  await (await openSource(path)).read(limits, (name, bytes) => void found.set(name, bytes));
  return found;
};

it("reads the same from a folder, a .tar.gz and a .tar", async () => {
  for (const [name, bytes] of FILES) writeFileSync(join(folder.path, name), bytes);
  const archive = tar(
    tarEntry("x/other", Buffer.alloc(99_999)),
    ...[...FILES].map(([name, bytes]) => tarEntry(`x/${name}`, bytes)),
  );
  const [plain, packed] = [join(folder.path, "c.tar"), join(folder.path, "c.tar.gz")];
  writeFileSync(plain, archive);
  writeFileSync(packed, gzipSync(archive));
  for (const path of [folder.path, plain, packed]) expect(await readAll(path)).toEqual(FILES);
});

it("hands over one file after the other, and passes a reader's refusal on", async () => {
  const path = join(folder.path, "c.tar");
  writeFileSync(path, tar(...[...FILES].map(([name, bytes]) => tarEntry(name, bytes))));
  const done: string[] = [];
  const source = await openSource(path);
  await source.read(LIMITS, async (name) => {
    done.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    done.push(`${name} ends`);
  });
  expect(done).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  await expect(
    source.read(LIMITS, async () => {
      throw new UserError("no");
    }),
  ).rejects.toThrow("no");
});

it("refuses a size before it spends memory on it", async () => {
  const path = join(folder.path, "c.tar");
  writeFileSync(path, tarEntry("deep/b", Buffer.alloc(10), { size: 2 ** 32 }));
  await expect(readAll(path)).rejects.toThrow(/c\.tar: deep\/b: expected 3000 bytes, found 4294967296/);
});

it("stops a compressed bomb", async () => {
  // 1.5 GB of zeros in one entry that nobody asked for, packed a thousandfold
  const path = join(folder.path, "bomb.tar.gz");
  const head = gzipSync(tarEntry("zeros", Buffer.alloc(0), { size: 1.5 * 2 ** 30 }));
  const block = gzipSync(Buffer.alloc(2 ** 27));
  writeFileSync(path, Buffer.concat([head, ...Array.from({ length: 12 }, () => block)]));
  await expect(readAll(path)).rejects.toThrow(/unpacks to more than 1073741824 bytes/);
});

it("does not wait at a pipe", async () => {
  const path = join(folder.path, "pipe");
  expect(spawnSync("mkfifo", [path]).status).toBe(0);
  await expect(openSource(path)).rejects.toThrow(/neither a folder nor a file/);
  symlinkSync(join(folder.path, "nowhere"), join(folder.path, "broken"));
  await expect(openSource(join(folder.path, "broken"))).rejects.toThrow(/does not exist/);
});

it("takes 1,000 mutated archives with nothing worse than a UserError", async () => {
  const packed = gzipSync(tar(...[...FILES].map(([name, bytes]) => tarEntry(name, bytes))));
  const path = join(folder.path, "c.tar.gz");
  let refused = 0;
  const mutation = fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(mutation, fc.nat(packed.length * 2), async (bytes, cut) => {
      const copy = Buffer.from(packed.subarray(0, cut));
      for (const [at, value] of bytes) if (at < copy.length) copy[at] = value;
      writeFileSync(path, copy);
      try {
        await readAll(path);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refused++;
      }
    }),
    { numRuns: 1_000 },
  );
  expect(refused).toBeGreaterThan(500);
});
