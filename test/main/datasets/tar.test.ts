import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTarReader, TarDamage, type TarEntry } from "#main/datasets/tar.ts";
import { NO_NUMPY, python, tar, tarEntry, temporaryFolder } from "./forms.ts";

interface Found extends TarEntry {
  readonly content: string;
}

/** Reads an archive that comes in pieces of `step` bytes; contents above `limit` are skipped. */
const read = (archive: Buffer, step = archive.length, limit = 1 << 20): Found[] => {
  const found: Found[] = [];
  const reader = createTarReader((entry) => {
    if (entry.size > limit) return undefined;
    return (bytes) => found.push({ ...entry, content: bytes.toString("latin1") });
  });
  for (let at = 0; at < archive.length; at += step) reader.write(archive.subarray(at, at + step));
  reader.end();
  return found;
};

const text = (s: string) => Buffer.from(s, "latin1");

describe("the tar reader", () => {
  it("gives names and contents whatever the pieces are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,90}$/), fc.uint8Array({ maxLength: 2000 })), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.integer({ min: 1, max: 3000 }),
        (files, step) => {
          const archive = tar(...files.map(([name, bytes]) => tarEntry(name, Buffer.from(bytes))));
          const expected = files.map(([name, bytes]) => [name, Buffer.from(bytes).toString("latin1")]);
          expect(read(archive, step).map((f) => [f.name, f.content])).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("knows pax and GNU long names, and skips what it was not asked for", () => {
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
    const found = read(archive, 100, 1000);
    expect(found.map((f) => [f.name, f.kind, f.content])).toEqual([
      [long, "file", "one"],
      [`${long}2`, "file", "two"],
      ["link", "other", ""],
      ["after", "file", "three"],
    ]);
  });

  it.skipIf(NO_NUMPY)("reads what Python's tarfile writes, in all its formats", () => {
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
        const found = read(readFileSync(file), 333);
        expect(found.map((f) => f.name)).toEqual([`a/${"b".repeat(60)}/${"c".repeat(90)}`, "plain"]);
        const expected = Buffer.from(Array.from({ length: 700 }, (_, i) => i % 251)).toString("latin1");
        for (const f of found) expect(f.content).toBe(expected);
      }
    } finally {
      folder.dispose();
    }
  });

  it.each([
    ["is no tar archive", Buffer.alloc(2048, "hello"), /checksum|not a number/],
    ["ends in the middle", tarEntry("a", Buffer.alloc(3000)).subarray(0, 2000), /ends in the middle/],
    ["is empty", Buffer.alloc(1024), /holds no files/],
    [
      "has a gap",
      Buffer.concat([tarEntry("a", text("x")), Buffer.alloc(512), tarEntry("b", text("y"))]),
      /zeros/,
    ],
    [
      "claims a huge name",
      tar(tarEntry("x", text(""), { type: "L", size: 2 ** 32 })),
      /claims 4294967296 bytes/,
    ],
    ["has a malformed pax record", tar(tarEntry("x", text("999 path=a\n"), { type: "x" })), /malformed/],
  ])("refuses an archive that %s", (_, archive, message) => {
    expect(() => read(archive)).toThrow(TarDamage);
    expect(() => read(archive)).toThrow(message);
  });

  it("takes 10,000 mutations with nothing worse than a refusal", () => {
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
    fc.assert(
      fc.property(mutation, fc.nat(archive.length), fc.boolean(), (bytes, cut, fix) => {
        const copy = Buffer.from(archive);
        for (const [at, value] of bytes) copy[at] = value;
        // with the checksums made right again, the fields behind them are reached
        if (fix) repairChecksums(copy);
        try {
          read(cut % 3 === 0 ? copy.subarray(0, cut) : copy);
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
