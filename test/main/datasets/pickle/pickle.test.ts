import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "#contract/failure.ts";
import { openPickledDict } from "#main/datasets/pickle/pickled-dict.ts";
import { readPickle } from "#main/datasets/pickle/read-pickle.ts";
import { PickleRefused } from "#main/datasets/pickle/refused.ts";
import { NO_NUMPY, planes, python, temporaryFolder } from "#test/main/datasets/forms.ts";
import { python2Batch } from "./python2-pickle.ts";

const COUNT = 4;
const LABELS = [3, 0, 9, 3];
const DATA = Buffer.concat(Array.from({ length: COUNT }, (_, n) => planes(n * 31)));

/** What the CIFAR reader takes out of a batch. */
const contents = (file: Buffer) => {
  const dict = openPickledDict("batch", file);
  return {
    labels: dict.wholeNumbers("labels", COUNT, 10),
    data: dict.uint8Array("data", [COUNT, 3072]),
  };
};

const expectBatch = (file: Buffer) => {
  const { labels, data } = contents(file);
  expect(labels).toEqual(LABELS);
  expect(Buffer.compare(data, DATA)).toBe(0);
};

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.dispose());

describe("a batch", () => {
  it("reads as Python 2 wrote it, without a copy of the pixels", () => {
    const file = python2Batch(LABELS, DATA);
    expectBatch(file);
    expect(contents(file).data.buffer).toBe(file.buffer);
  });

  it.skipIf(NO_NUMPY)("is written in these tests as Python reads it", () => {
    const file = join(folder.path, "batch");
    writeFileSync(file, python2Batch(LABELS, DATA));
    const out = python(
      `import json, pickle, sys
d = pickle.load(open(sys.argv[1], "rb"), encoding="latin1")
print(json.dumps([d["labels"], d["data"].shape, str(d["data"].dtype), d["data"].tobytes().hex(), d["filenames"][1]]))`,
      file,
    );
    expect(JSON.parse(out)).toEqual([
      LABELS,
      [COUNT, 3072],
      "uint8",
      DATA.toString("hex"),
      "leptodactylus_s_1.png",
    ]);
  });

  const REPICKLE = `import pickle, sys, numpy as np
data = np.frombuffer(open(sys.argv[1] + "/raw", "rb").read(), np.uint8).reshape(4, 3072).copy()
labels, text = [3, 0, 9, 3], sys.argv[3]
if text == "array": labels = np.array(labels)
if text == "big-endian": labels = np.array(labels, ">i4")
key = (lambda s: s) if text == "text" else (lambda s: s.encode())
d = {key("labels"): labels, key("data"): data, key("more"): [1.5, True, None, -7, 2**40, ("a", {"b": "ü"})]}
pickle.dump(d, open(sys.argv[1] + "/batch", "wb"), protocol=int(sys.argv[2]))`;

  describe.skipIf(NO_NUMPY)("reads as Python 3 and numpy write it", () => {
    it.each(
      [0, 1, 2, 3, 4].flatMap((protocol) =>
        ["bytes", "text", "array", "big-endian"].map((keys) => [protocol, keys] as const),
      ),
    )("protocol %i, %s", (protocol, keys) => {
      writeFileSync(join(folder.path, "raw"), DATA);
      python(REPICKLE, folder.path, String(protocol), keys);
      expectBatch(readFileSync(join(folder.path, "batch")));
    });

    it("but not protocol 5, whose refusal says what to do", () => {
      writeFileSync(join(folder.path, "raw"), DATA);
      python(REPICKLE, folder.path, "5", "bytes");
      expect(() => contents(readFileSync(join(folder.path, "batch")))).toThrow(
        /protocol 5; write it again with protocol 4|numeric\._frombuffer/,
      );
    });
  });
});

describe("a malicious pickle", () => {
  it.skipIf(NO_NUMPY).each([
    ["os.system", "os.system", "('touch ' + mark,)", /refers to posix\.system/],
    ["eval", "eval", "('open(' + repr(mark) + ', \"w\")',)", /refers to (builtins|__builtin__)\.eval/],
    ["exec", "exec", "('open(' + repr(mark) + ', \"w\")',)", /refers to (builtins|__builtin__)\.exec/],
    ["subprocess", "subprocess.call", "(['touch', mark],)", /refers to (subprocess|commands)\.call/],
    ["getattr", "getattr", "(os, 'system')", /refers to|NEWOBJ|asks for/],
  ])("with %s is refused by name and nothing runs, in every protocol", (_, callable, args, message) => {
    for (const protocol of [0, 1, 2, 3, 4]) {
      const mark = join(folder.path, `mark-${protocol}`);
      const file = join(folder.path, `evil-${protocol}`);
      python(
        `import os, pickle, subprocess, sys, copyreg, types
copyreg.pickle(types.ModuleType, lambda m: (__import__, (m.__name__,)))
mark = sys.argv[1]
class Evil:
    def __reduce__(self): return (${callable}, ${args})
pickle.dump({"labels": [1], "data": Evil()}, open(sys.argv[2], "wb"), protocol=int(sys.argv[3]))`,
        mark,
        file,
        String(protocol),
      );
      const bytes = readFileSync(file);
      expect(() => readPickle(bytes)).toThrow(PickleRefused);
      expect(() => readPickle(bytes)).toThrow(message);
      expect(existsSync(mark)).toBe(false);
      if (callable === "os.system") {
        // the same file does run in Python: the mark is a real test
        python("import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))", file);
        expect(existsSync(mark)).toBe(true);
      }
    }
  });

  const ascii = (s: string) => Buffer.from(s, "latin1");
  it.each([
    [
      "calls an allowed name with other arguments",
      ascii("cnumpy\ndtype\n(cnumpy\nndarray\ntR."),
      /malformed array type/,
    ],
    ["calls numpy.ndarray itself", ascii("cnumpy\nndarray\n(K\x01tR."), /calls ndarray/],
    [
      "encodes to a codec that unpacks",
      ascii("c_codecs\nencode\n(U\x01aU\x03zlitR."),
      /encodes text as something other/,
    ],
    ["builds an object by INST", ascii("(ios\nsystem\n."), /INST/],
    ["gives a list a state", ascii("](tb."), /not an array/],
    ["names __proto__", ascii("c__proto__\n__proto__\n."), /refers to __proto__/],
    ["claims 4 GB of text", ascii("\x80\x04X\xff\xff\xff\xff."), /claims 4294967295 bytes/],
    ["claims 16 EB of bytes", ascii("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff."), /claims 1844674/],
    ["claims a negative length", ascii("T\xff\xff\xff\xff."), /negative length/],
    ["claims a frame beyond its end", ascii("\x80\x04\x95\xff\xff\xff\xff\x00\x00\x00\x00N."), /frame/],
    ["has a huge number", ascii("\x8b\xff\xff\xff\x7f."), /claims 2147483647 bytes/],
    ["has bytes after its end", ascii("N.N."), /2 bytes after its end/],
    ["never ends", ascii("NNN"), /claims 1 bytes/],
    ["is empty", Buffer.alloc(0), /claims 1 bytes/],
    ["pops what is not there", ascii("0."), /missing/],
    ["pops beneath a mark", ascii("N(a."), /missing/],
    ["recalls what was never stored", ascii("h\x07."), /never stored/],
  ])("that %s is refused", (_, file, message) => {
    expect(() => readPickle(file)).toThrow(PickleRefused);
    expect(() => readPickle(file)).toThrow(message);
  });

  it("nested a million deep costs no call stack", () => {
    const deep = 1_000_000;
    expect(() => readPickle(Buffer.alloc(deep, "("))).toThrow(/nests deeper/);
    const tuples = Buffer.concat([ascii("N"), Buffer.alloc(deep, 0x85), ascii(".")]);
    expect(readPickle(tuples)).toMatchObject({ kind: "tuple" });
    // a list that holds itself
    expect(readPickle(ascii("]q\x00h\x00a."))).toMatchObject({ kind: "list" });
  });

  it("that repeats one text without end does not grow", () => {
    const megabyte = Buffer.alloc(1_000_000, "x");
    const encode = ascii("c_codecs\nencode\nh\x00U\x06latin1\x86R");
    const length = Buffer.alloc(4);
    length.writeUInt32LE(megabyte.length);
    const file = Buffer.concat([
      ascii("]X"),
      length,
      megabyte,
      ascii("q\x00a"),
      ...Array.from({ length: 20_000 }, () => Buffer.concat([encode, ascii("a")])),
      ascii("."),
    ]);
    const before = process.memoryUsage().rss;
    expect(readPickle(file)).toMatchObject({ kind: "list" });
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6); // 20 GB if each were converted
    expect(() => readPickle(Buffer.concat([Buffer.alloc(5_000_000, "N"), ascii(".")]))).toThrow(
      /more than 4000000/,
    );
  });
});

describe("an array that lies", () => {
  const change = (from: string, to: string) => {
    const file = python2Batch(LABELS, DATA);
    const at = file.indexOf(from, 0, "latin1");
    expect(at).toBeGreaterThan(0);
    expect(to.length).toBe(from.length);
    file.write(to, at, "latin1");
    return file;
  };
  it.each([
    ["about its rows", "M\x04\0M\0\x0c", "M\x05\0M\0\x0c", /shape 5 × 3072, expected 4 × 3072/],
    ["about its columns", "M\x04\0M\0\x0c", "M\x04\0M\0\x0d", /shape 4 × 3328, expected 4 × 3072/],
    ["about its type", "U\x02u1", "U\x02f8", /of type f8, expected u1/],
    ["about its order", "b\x89T", "b\x88T", /Fortran order/],
    ["about its labels", "K\x03K\x00K\x09", "K\x03K\x00NN", /entry|5 entries/],
  ])("%s is refused", (_, from, to, message) => {
    expect(() => contents(change(from, to))).toThrow(UserError);
    expect(() => contents(change(from, to))).toThrow(message);
  });

  it("has fewer bytes than its shape says", () => {
    expect(() => contents(python2Batch(LABELS, DATA.subarray(1)))).toThrow(
      /with 12287 bytes, expected 12288/,
    );
  });
});

describe("whole numbers", () => {
  const list = (...items: string[]) =>
    Buffer.from(`}U\x01n]${items.map((item) => `${item}a`).join("")}s.`, "latin1");
  const read = (file: Buffer, count: number, below: number) =>
    openPickledDict("batch", file).wholeNumbers("n", count, below);

  it("may be above 255 where there are that many classes", () => {
    expect(read(list("M\x2c\x01", "K\x07"), 2, 1000)).toEqual([300, 7]);
  });

  it.each([
    ["of a class that does not exist", list("K\x07", "K\x0a"), "has 10 as entry 1 of n, expected 0 to 9"],
    ["below zero", list("K\x07", "J\xff\xff\xff\xff"), "has -1 as entry 1 of n, expected 0 to 9"],
    ["that are too few", list("K\x07"), "has 1 entries of n, expected 2"],
    ["that are texts", list("K\x07", "U\x01a"), "has an entry 1 of n that is not a number"],
  ])("%s are refused with the file's name", (_, file, problem) => {
    expect(() => read(file, 2, 10)).toThrow(UserError);
    expect(() => read(file, 2, 10)).toThrow(`dataset: batch: the pickle ${problem}. `);
  });

  it.skipIf(NO_NUMPY)("come out of numpy's arrays of every width, sign and byte order", () => {
    const cases = ["u1", "i1", "<u2", ">u2", "<i2", ">i4", "<u4", "<i8", ">i8", ">u8"].flatMap((type) => [
      { type, values: [0, 9, 127] },
      ...(type.endsWith("1") ? [] : [{ type, values: [0, 9, 300] }]),
      ...(type.endsWith("1") || type.includes("u") ? [] : [{ type, values: [0, 9, -1] }]),
    ]);
    python(
      `import json, pickle, sys, numpy as np
for i, case in enumerate(json.loads(sys.argv[2])):
    with open(sys.argv[1] + "/" + str(i), "wb") as f:
        pickle.dump({"n": np.array(case["values"], case["type"])}, f, protocol=2)`,
      folder.path,
      JSON.stringify(cases),
    );
    expect(cases).toHaveLength(10 + 8 + 4);
    for (const [i, { type, values }] of cases.entries()) {
      const file = readFileSync(join(folder.path, String(i)));
      const last = values[2]!;
      if (last === 127) expect(read(file, 3, 128), type).toEqual(values);
      else expect(() => read(file, 3, 128), type).toThrow(`has ${last} as entry 2 of n, expected 0 to 127`);
    }
  });
});

it("takes 10,000 mutations with nothing worse than a refusal", () => {
  const file = python2Batch(LABELS, DATA);
  const pixels = file.indexOf(DATA);
  // most changes go to the structure, not into the pixels
  const structure = [...file.keys()].filter((at) => at < pixels || at >= pixels + DATA.length - 20);
  const place = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...structure) }, fc.nat(file.length - 1));
  const value = fc.oneof(
    fc.nat(255),
    fc.constantFrom(...Buffer.from("(.]})tuaesbRcqhrj0122UTXVIJKMGNp\x80\x85\x93\x94\x95")),
  );
  let refused = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 5 }),
      fc.nat(file.length * 4),
      (bytes, cut) => {
        const copy = Buffer.from(cut < file.length ? file.subarray(0, cut) : file);
        for (const [at, byte] of bytes) if (at < copy.length) copy[at] = byte;
        try {
          contents(copy);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          refused++;
        }
      },
    ),
    { numRuns: 10_000 },
  );
  expect(refused).toBeGreaterThan(5000);
});
