import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTar, TarDamage, type TarEntry } from "#main/datasets/tar-archive.ts";
import { NO_NUMPY, python, tar, tarEntry, temporaryFolder } from "./forms.ts";

interface Found extends TarEntry {
  readonly content: string;
}

async function* pieces(archive: Buffer, step: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < archive.length; at += step) yield archive.subarray(at, at + step);
}

/** Reads an archive that comes in pieces of `step` bytes; contents above `limit` are skipped. */
const read = async (archive: Buffer, step = archive.length, limit = 1 << 20): Promise<Found[]> => {
  const found: Found[] = [];
  await readTar(pieces(archive, Math.max(step, 1)), 1 << 24, (entry) => {
    if (entry.size > limit) return undefined;
    return (content) => void found.push({ ...entry, content: content.toString("latin1") });
  });
  return found;
};

const text = (s: string) => Buffer.from(s, "latin1");

describe("the tar reader", () => {
  it("gives names and contents whatever the pieces are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,90}$/), fc.uint8Array({ maxLength: 2000 })), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.integer({ min: 1, max: 3000 }),
        async (files, step) => {
          const archive = tar(...files.map(([name, bytes]) => tarEntry(name, Buffer.from(bytes))));
          const expected = files.map(([name, bytes]) => [name, Buffer.from(bytes).toString("latin1")]);
          expect((await read(archive, step)).map((f) => [f.name, f.content])).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("knows pax and GNU long names, and skips what it was not asked for", async () => {
    const long = `${"folder/".repeat(30)}file`;
    const record = (body: string) => {
      let length = body.length + 2;
      while (`${length} ${body}\n`.length !== length) length = `${length} ${body}\n`.length;
      return `${length} ${body}\n`;
    };
    const archive = tar(
      tarEntry("pax", text(record(`path=${long}`) + record("mtime=1")), { type: "x" }),
      tarEntry("short", text("one")),
      tarEntry("././@LongLink", text(`${long}2\0`), { type: "L" }),
      tarEntry("short", text("two")),
      tarEntry("big", Buffer.alloc(5000)),
      tarEntry("link", text(""), { type: "2" }),
      tarEntry("after", text("three")),
    );
    const found = await read(archive, 100, 1000);
    expect(found.map((f) => [f.name, f.kind, f.content])).toEqual([
      [long, "file", "one"],
      [`${long}2`, "file", "two"],
      ["link", "other", ""],
      ["after", "file", "three"],
    ]);
  });

  it.skipIf(NO_NUMPY)("reads what Python's tarfile writes, in all its formats", async () => {
    const folder = temporaryFolder();
    try {
      for (const format of ["USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"]) {
        const file = join(folder.path, `${format}.tar`);
        python(
          `import io, sys, tarfile
with tarfile.open(sys.argv[1], "w", format=getattr(tarfile, sys.argv[2])) as t:
    for name in ("a/" + "b" * 60 + "/" + "c" * 90, "plain"):
        info = tarfile.TarInfo(name)
        info.size = 700
        t.addfile(info, io.BytesIO(bytes(i % 251 for i in range(700))))`,
          file,
          format,
        );
        const found = await read(readFileSync(file), 333);
        expect(found.map((f) => f.name)).toEqual([`a/${"b".repeat(60)}/${"c".repeat(90)}`, "plain"]);
        const expected = Buffer.from(Array.from({ length: 700 }, (_, i) => i % 251)).toString("latin1");
        for (const f of found) expect(f.content).toBe(expected);
      }
    } finally {
      folder.dispose();
    }
  });

  const refusals: readonly (readonly [string, Buffer, string])[] = [
    [
      "is no tar archive",
      Buffer.alloc(2048, "hello"),
      "it has a header with a wrong checksum: it is not a tar archive, or it was altered",
    ],
    [
      "ends in the middle",
      tarEntry("a", Buffer.alloc(3000)).subarray(0, 2000),
      "it ends in the middle of a file",
    ],
    ["is empty", Buffer.alloc(1024), "it contains no files"],
    ["has no bytes at all", Buffer.alloc(0), "it contains no files"],
    [
      "has a gap",
      Buffer.concat([tarEntry("a", text("x")), Buffer.alloc(512), tarEntry("b", text("y"))]),
      "a block of zeros lies between two entries",
    ],
    [
      "hides a second archive behind its end",
      Buffer.concat([tar(tarEntry("a", text("x"))), tar(tarEntry("b", text("y")))]),
      "a block of zeros lies between two entries",
    ],
    [
      "claims a huge name",
      tar(tarEntry("x", text(""), { type: "L", size: 2 ** 32 })),
      "an extended header claims more than 4194304 bytes",
    ],
    [
      "has a pax record that ends outside its header",
      tar(tarEntry("x", text("999 path=a\n"), { type: "x" }), tarEntry("b", text("y"))),
      "an entry's name contains control characters",
    ],
    [
      "has a pax record with an invalid size",
      tar(tarEntry("x", text("11 size=-5\n"), { type: "x" }), tarEntry("b", text("y"))),
      "an entry has an invalid size",
    ],
    [
      "is longer than it may be",
      tar(tarEntry("a", Buffer.alloc(1 << 24))),
      "it unpacks to more than 16777216 bytes",
    ],
  ];
  it.each(refusals)("refuses an archive that %s", async (_, archive, message) => {
    const refused = await read(archive).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TarDamage);
    expect((refused as TarDamage).message).toBe(message);
  });

  it("passes on what its caller throws, as it is", async () => {
    const archive = tar(tarEntry("a", text("one")), tarEntry("b", text("two")));
    const no = new Error("no");
    const throws = () => {
      throw no;
    };
    await expect(readTar(pieces(archive, 100), 1 << 20, throws)).rejects.toBe(no);
    await expect(readTar(pieces(archive, 100), 1 << 20, () => throws)).rejects.toBe(no);
    async function* broken(): AsyncGenerator<Buffer> {
      yield archive.subarray(0, 700);
      throw no;
    }
    await expect(readTar(broken(), 1 << 20, () => () => {})).rejects.toBe(no);
  });

  it("takes 10,000 mutations with nothing worse than a refusal", { timeout: 600_000 }, async () => {
    const archive = tar(
      tarEntry("pax", text("18 path=some/name\n"), { type: "x" }),
      tarEntry("a", text("first")),
      tarEntry("././@LongLink", text("long/name\0"), { type: "L" }),
      tarEntry("b", Buffer.alloc(700, 1)),
    );
    let refused = 0;
    const mutation = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(mutation, fc.nat(archive.length), fc.boolean(), async (bytes, cut, fix) => {
        const copy = Buffer.from(archive);
        for (const [at, value] of bytes) copy[at] = value;
        // with the checksums made right again, the fields behind them are reached
        if (fix) repairChecksums(copy);
        try {
          await read(cut % 3 === 0 ? copy.subarray(0, cut) : copy);
        } catch (error) {
          if (!(error instanceof TarDamage)) throw error;
          refused++;
        }
      }),
      { numRuns: 10_000 },
    );
    expect(refused).toBeGreaterThan(1000);
    expect(refused).toBeLessThan(9900);
  });
});

const repairChecksums = (archive: Buffer): void => {
  for (let at = 0; at + 512 <= archive.length; at += 512) {
    if (archive.toString("latin1", at + 257, at + 262) !== "ustar") continue;
    archive.write("        ", at + 148);
    const sum = archive.subarray(at, at + 512).reduce((a, b) => a + b, 0);
    archive.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148);
  }
};
