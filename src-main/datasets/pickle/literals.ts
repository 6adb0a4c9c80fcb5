/** Numbers and texts that a pickle spells out. */
import { PickleRefused } from "./refused.ts";
import type { PickleText } from "./values.ts";

const ESCAPES: Readonly<Record<string, number>> = {
  "\\": 0x5c,
  "'": 0x27,
  '"': 0x22,
  n: 10,
  r: 13,
  t: 9,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
};

/** Python 2's repr of a str, quotes and all: the STRING operation. */
export const unescapeString = (line: Buffer): Buffer => {
  const quote = line[0];
  if (line.length < 2 || (quote !== 0x27 && quote !== 0x22) || line[line.length - 1] !== quote) {
    throw new PickleRefused("contains a string without quotes");
  }
  const out = Buffer.allocUnsafeSlow(line.length);
  let length = 0;
  for (let i = 1; i < line.length - 1; i++) {
    let byte = line[i]!;
    if (byte === 0x5c) {
      const letter = String.fromCharCode(line[++i]!);
      if (letter === "x") {
        const digits = line.toString("latin1", i + 1, i + 3);
        if (!/^[0-9a-f]{2}$/i.test(digits)) throw new PickleRefused("contains a malformed escape");
        byte = Number.parseInt(digits, 16);
        i += 2;
      } else {
        const known = ESCAPES[letter];
        if (known === undefined) throw new PickleRefused("contains a malformed escape");
        byte = known;
      }
    }
    out[length++] = byte;
  }
  return out.subarray(0, length);
};

/** Python's raw-unicode-escape: latin1 with \uXXXX for the rest. */
export const unescapeUnicode = (line: Buffer): PickleText => {
  let wide = false;
  const text = line.toString("latin1").replace(/\\u([0-9a-f]{4})/gi, (_, digits: string) => {
    const code = Number.parseInt(digits, 16);
    if (code > 0xff) wide = true;
    return String.fromCharCode(code);
  });
  const encoding = wide ? "utf8" : "latin1";
  return { kind: "text", bytes: Buffer.from(text, encoding), encoding };
};

/** Little-endian two's complement of up to six bytes: no label or shape needs more. */
export const longOf = (bytes: Buffer): number => {
  if (bytes.length === 0) return 0;
  if (bytes.length > 6) throw new PickleRefused(`contains a whole number of ${bytes.length} bytes`);
  return bytes.readIntLE(0, bytes.length);
};

/** Decimal digits, with Python 2's L after a long. */
export const wholeNumber = (line: Buffer): number => {
  const digits = line.toString("latin1", 0, 32);
  if (line.length > 20 || !/^-?\d{1,15}L?$/.test(digits)) {
    throw new PickleRefused("contains a malformed number");
  }
  return Number.parseInt(digits, 10);
};

/** INT: digits, where 00 and 01 are False and True. */
export const intOrFlag = (line: Buffer): number | boolean => {
  const isFlag = line.length === 2 && line[0] === 0x30 && (line[1] === 0x30 || line[1] === 0x31);
  return isFlag ? line[1] === 0x31 : wholeNumber(line);
};
