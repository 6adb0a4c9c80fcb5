/**
 * A reader for the pickles in which CIFAR's python form comes (protocol 2, written by Python 2) and in which
 * Python 3 and numpy write them again (protocols 0 to 4). Unpickling in general runs whatever the file says; this
 * interpreter knows values only. The few names that numpy's arrays need are recognised and described as data; any
 * other name, and any operation that would build an object, is refused.
 *
 * Memory stays within a small multiple of the file: contents are views of it, and MAX_VALUES bounds what can be
 * stacked up. Nothing recurses, so nesting costs no call stack.
 * Operations: https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
import { createPickleStack } from "./pickle-stack.ts";
import { PickleRefused, type PickleValue } from "./pickle-values.ts";

/** Operations that are known and never carried out, for a refusal that says what the file wanted. */
const REFUSED: Readonly<Record<number, string>> = {
  105: "INST (build an object)",
  111: "OBJ (build an object)",
  129: "NEWOBJ (build an object)",
  146: "NEWOBJ_EX (build an object)",
  80: "PERSID (a reference outside the file)",
  81: "BINPERSID (a reference outside the file)",
  130: "EXT1 (a registered extension)",
  131: "EXT2 (a registered extension)",
  132: "EXT4 (a registered extension)",
  143: "EMPTY_SET",
  144: "ADDITEMS",
  145: "FROZENSET",
  150: "BYTEARRAY8 (protocol 5; write it again with protocol 4)",
  151: "NEXT_BUFFER (protocol 5; write it again with protocol 4)",
  152: "READONLY_BUFFER (protocol 5; write it again with protocol 4)",
};

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
const unescapeString = (line: Buffer): Buffer => {
  const quote = line[0];
  if (line.length < 2 || (quote !== 0x27 && quote !== 0x22) || line[line.length - 1] !== quote) {
    throw new PickleRefused("holds a string without quotes");
  }
  const out = Buffer.allocUnsafeSlow(line.length);
  let length = 0;
  for (let i = 1; i < line.length - 1; i++) {
    let byte = line[i]!;
    if (byte === 0x5c) {
      const letter = String.fromCharCode(line[++i]!);
      if (letter === "x") {
        const digits = line.toString("latin1", i + 1, i + 3);
        if (!/^[0-9a-f]{2}$/i.test(digits)) throw new PickleRefused("holds a malformed escape");
        byte = Number.parseInt(digits, 16);
        i += 2;
      } else {
        const known = ESCAPES[letter];
        if (known === undefined) throw new PickleRefused("holds a malformed escape");
        byte = known;
      }
    }
    out[length++] = byte;
  }
  return out.subarray(0, length);
};

/** Python's raw-unicode-escape: latin1 with \uXXXX for the rest. */
const unescapeUnicode = (line: Buffer): PickleValue => {
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
const longOf = (bytes: Buffer): number => {
  if (bytes.length === 0) return 0;
  if (bytes.length > 6) throw new PickleRefused(`holds a whole number of ${bytes.length} bytes`);
  return bytes.readIntLE(0, bytes.length);
};

const wholeNumber = (line: Buffer): number => {
  const digits = line.toString("latin1", 0, 32);
  if (line.length > 20 || !/^-?\d{1,15}L?$/.test(digits)) throw new PickleRefused("holds a malformed number");
  return Number.parseInt(digits, 10);
};

/**
 * Reads one pickle. Texts and bytes in the result are views of `file`.
 *
 * @throws PickleRefused if the file is damaged, lies about a length, or holds anything but data
 */
export const readPickle = (file: Buffer): PickleValue => {
  const stack = createPickleStack();
  let at = 0;

  const take = (length: number): Buffer => {
    if (length > file.length - at) {
      throw new PickleRefused(`claims ${length} bytes at offset ${at} where ${file.length - at} are left`);
    }
    at += length;
    return file.subarray(at - length, at);
  };
  const u1 = () => take(1)[0]!;
  const u4 = () => take(4).readUInt32LE(0);
  const i4 = (): number => {
    const length = take(4).readInt32LE(0);
    if (length < 0) throw new PickleRefused("claims a negative length");
    return length;
  };
  const u8 = () => Number(take(8).readBigUInt64LE(0));
  const line = (): Buffer => {
    const end = file.indexOf(0x0a, at);
    if (end < 0) throw new PickleRefused("ends in the middle of a line");
    const bytes = file.subarray(at, end);
    at = end + 1;
    return bytes;
  };
  const name = (): string => {
    const bytes = line();
    if (bytes.length > 256) throw new PickleRefused("holds a name of more than 256 bytes");
    return bytes.toString("latin1");
  };
  const text = (length: number, encoding: "latin1" | "utf8") =>
    stack.push({ kind: "text", bytes: take(length), encoding });
  const bytes = (length: number) => stack.push({ kind: "bytes", bytes: take(length) });

  const operations: Readonly<Record<number, () => void>> = {
    128: () => {
      const protocol = u1(); // PROTO
      if (protocol > 5) throw new PickleRefused(`is of pickle protocol ${protocol}, expected 0 to 4`);
    },
    149: () => {
      const length = u8(); // FRAME: a hint for buffering
      if (length > file.length - at) throw new PickleRefused(`claims a frame of ${length} bytes`);
    },
    40: () => stack.mark(), // MARK
    48: () => stack.discard(), // POP
    49: () => void stack.popToMark(), // POP_MARK
    50: () => stack.push(stack.top()), // DUP
    78: () => stack.push(null), // NONE
    136: () => stack.push(true), // NEWTRUE
    137: () => stack.push(false), // NEWFALSE
    73: () => {
      const digits = line(); // INT; 00 and 01 are False and True
      const isFlag = digits.length === 2 && digits[0] === 0x30 && (digits[1] === 0x30 || digits[1] === 0x31);
      stack.push(isFlag ? digits[1] === 0x31 : wholeNumber(digits));
    },
    74: () => stack.push(take(4).readInt32LE(0)), // BININT
    75: () => stack.push(u1()), // BININT1
    77: () => stack.push(take(2).readUInt16LE(0)), // BININT2
    76: () => stack.push(wholeNumber(line())), // LONG
    138: () => stack.push(longOf(take(u1()))), // LONG1
    139: () => stack.push(longOf(take(i4()))), // LONG4
    70: () => stack.push(Number.parseFloat(name())), // FLOAT
    71: () => stack.push(take(8).readDoubleBE(0)), // BINFLOAT
    83: () => stack.push({ kind: "text", bytes: unescapeString(line()), encoding: "latin1" }), // STRING
    84: () => text(i4(), "latin1"), // BINSTRING
    85: () => text(u1(), "latin1"), // SHORT_BINSTRING
    86: () => stack.push(unescapeUnicode(line())), // UNICODE
    88: () => text(u4(), "utf8"), // BINUNICODE
    140: () => text(u1(), "utf8"), // SHORT_BINUNICODE
    141: () => text(u8(), "utf8"), // BINUNICODE8
    66: () => bytes(u4()), // BINBYTES
    67: () => bytes(u1()), // SHORT_BINBYTES
    142: () => bytes(u8()), // BINBYTES8
    93: () => stack.push({ kind: "list", items: [] }), // EMPTY_LIST
    41: () => stack.push({ kind: "tuple", items: [] }), // EMPTY_TUPLE
    125: () => stack.push({ kind: "dict", entries: new Map() }), // EMPTY_DICT
    108: () => stack.push({ kind: "list", items: stack.popToMark() }), // LIST
    116: () => stack.push({ kind: "tuple", items: stack.popToMark() }), // TUPLE
    133: () => stack.tuple(1), // TUPLE1
    134: () => stack.tuple(2), // TUPLE2
    135: () => stack.tuple(3), // TUPLE3
    100: () => {
      const items = stack.popToMark(); // DICT
      stack.push({ kind: "dict", entries: new Map() });
      stack.setItems(items);
    },
    97: () => stack.appendItems([stack.pop()]), // APPEND
    101: () => stack.appendItems(stack.popToMark()), // APPENDS
    115: () => {
      const value = stack.pop(); // SETITEM
      stack.setItems([stack.pop(), value]);
    },
    117: () => stack.setItems(stack.popToMark()), // SETITEMS
    112: () => stack.remember(wholeNumber(line())), // PUT
    113: () => stack.remember(u1()), // BINPUT
    114: () => stack.remember(u4()), // LONG_BINPUT
    148: () => stack.remember(), // MEMOIZE
    103: () => stack.recall(wholeNumber(line())), // GET
    104: () => stack.recall(u1()), // BINGET
    106: () => stack.recall(u4()), // LONG_BINGET
    99: () => stack.pushGlobal(name(), name()), // GLOBAL: module, then name
    147: () => stack.stackGlobal(), // STACK_GLOBAL
    82: () => stack.reduce(), // REDUCE
    98: () => stack.build(), // BUILD
  };

  for (;;) {
    const code = u1();
    if (code === 0x2e) break; // STOP
    const operation = operations[code];
    if (!operation) {
      const wanted = REFUSED[code] ?? `unknown operation 0x${code.toString(16).padStart(2, "0")}`;
      throw new PickleRefused(
        `asks for ${wanted} at offset ${at - 1}, which is not plain data: nothing was executed`,
      );
    }
    operation();
  }
  if (at !== file.length) throw new PickleRefused(`has ${file.length - at} bytes after its end`);
  return stack.result();
};
