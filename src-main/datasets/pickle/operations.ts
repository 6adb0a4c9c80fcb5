/** What each operation of a pickle does here. https://github.com/python/cpython/blob/main/Lib/pickletools.py */
import type { Cursor } from "./cursor.ts";
import { intOrFlag, longOf, unescapeString, unescapeUnicode, wholeNumber } from "./literals.ts";
import { globalNamed } from "./numpy.ts";
import { PickleRefused } from "./refused.ts";
import type { PickleStack } from "./stack.ts";

type Operation = (stack: PickleStack, cursor: Cursor) => void;

const text = (stack: PickleStack, bytes: Buffer, encoding: "latin1" | "utf8"): void =>
  stack.push({ kind: "text", bytes, encoding });

const bytes = (stack: PickleStack, content: Buffer): void => stack.push({ kind: "bytes", bytes: content });

const checkProtocol: Operation = (_, cursor) => {
  const protocol = cursor.u1();
  if (protocol > 5) throw new PickleRefused(`has pickle protocol ${protocol}, expected 0 to 4`);
};

/** A frame is a hint for buffering. */
const checkFrame: Operation = (_, cursor) => {
  const length = cursor.u8();
  if (length > cursor.left) throw new PickleRefused(`claims a frame of ${length} bytes`);
};

const dict: Operation = (stack) => {
  const items = stack.popToMark();
  stack.push({ kind: "dict", entries: new Map() });
  stack.setItems(items);
};

const setItem: Operation = (stack) => {
  const value = stack.pop();
  stack.setItems([stack.pop(), value]);
};

const global: Operation = (stack, cursor) => {
  const module = cursor.name();
  stack.push(globalNamed(module, cursor.name()));
};

const FRAMING: Readonly<Record<number, Operation>> = {
  128: checkProtocol, // PROTO
  149: checkFrame, // FRAME
};

const CONSTANTS: Readonly<Record<number, Operation>> = {
  78: (stack) => stack.push(null), // NONE
  136: (stack) => stack.push(true), // NEWTRUE
  137: (stack) => stack.push(false), // NEWFALSE
};

const NUMBERS: Readonly<Record<number, Operation>> = {
  73: (stack, cursor) => stack.push(intOrFlag(cursor.line())), // INT
  74: (stack, cursor) => stack.push(cursor.take(4).readInt32LE(0)), // BININT
  75: (stack, cursor) => stack.push(cursor.u1()), // BININT1
  77: (stack, cursor) => stack.push(cursor.take(2).readUInt16LE(0)), // BININT2
  76: (stack, cursor) => stack.push(wholeNumber(cursor.line())), // LONG
  138: (stack, cursor) => stack.push(longOf(cursor.take(cursor.u1()))), // LONG1
  139: (stack, cursor) => stack.push(longOf(cursor.take(cursor.i4()))), // LONG4
  70: (stack, cursor) => stack.push(Number.parseFloat(cursor.name())), // FLOAT
  71: (stack, cursor) => stack.push(cursor.take(8).readDoubleBE(0)), // BINFLOAT
};

const TEXTS: Readonly<Record<number, Operation>> = {
  83: (stack, cursor) => text(stack, unescapeString(cursor.line()), "latin1"), // STRING
  84: (stack, cursor) => text(stack, cursor.take(cursor.i4()), "latin1"), // BINSTRING
  85: (stack, cursor) => text(stack, cursor.take(cursor.u1()), "latin1"), // SHORT_BINSTRING
  86: (stack, cursor) => stack.push(unescapeUnicode(cursor.line())), // UNICODE
  88: (stack, cursor) => text(stack, cursor.take(cursor.u4()), "utf8"), // BINUNICODE
  140: (stack, cursor) => text(stack, cursor.take(cursor.u1()), "utf8"), // SHORT_BINUNICODE
  141: (stack, cursor) => text(stack, cursor.take(cursor.u8()), "utf8"), // BINUNICODE8
  66: (stack, cursor) => bytes(stack, cursor.take(cursor.u4())), // BINBYTES
  67: (stack, cursor) => bytes(stack, cursor.take(cursor.u1())), // SHORT_BINBYTES
  142: (stack, cursor) => bytes(stack, cursor.take(cursor.u8())), // BINBYTES8
};

const COLLECTIONS: Readonly<Record<number, Operation>> = {
  93: (stack) => stack.push({ kind: "list", items: [] }), // EMPTY_LIST
  41: (stack) => stack.push({ kind: "tuple", items: [] }), // EMPTY_TUPLE
  125: (stack) => stack.push({ kind: "dict", entries: new Map() }), // EMPTY_DICT
  108: (stack) => stack.push({ kind: "list", items: stack.popToMark() }), // LIST
  116: (stack) => stack.push({ kind: "tuple", items: stack.popToMark() }), // TUPLE
  133: (stack) => stack.tuple(1), // TUPLE1
  134: (stack) => stack.tuple(2), // TUPLE2
  135: (stack) => stack.tuple(3), // TUPLE3
  100: dict, // DICT
  97: (stack) => stack.appendItems([stack.pop()]), // APPEND
  101: (stack) => stack.appendItems(stack.popToMark()), // APPENDS
  115: setItem, // SETITEM
  117: (stack) => stack.setItems(stack.popToMark()), // SETITEMS
};

const STACK_AND_MEMO: Readonly<Record<number, Operation>> = {
  40: (stack) => stack.mark(), // MARK
  48: (stack) => stack.discard(), // POP
  49: (stack) => void stack.popToMark(), // POP_MARK
  50: (stack) => stack.push(stack.top()), // DUP
  112: (stack, cursor) => stack.remember(wholeNumber(cursor.line())), // PUT
  113: (stack, cursor) => stack.remember(cursor.u1()), // BINPUT
  114: (stack, cursor) => stack.remember(cursor.u4()), // LONG_BINPUT
  148: (stack) => stack.remember(), // MEMOIZE
  103: (stack, cursor) => stack.recall(wholeNumber(cursor.line())), // GET
  104: (stack, cursor) => stack.recall(cursor.u1()), // BINGET
  106: (stack, cursor) => stack.recall(cursor.u4()), // LONG_BINGET
};

const ARRAYS: Readonly<Record<number, Operation>> = {
  99: global, // GLOBAL
  147: (stack) => stack.stackGlobal(), // STACK_GLOBAL
  82: (stack) => stack.reduce(), // REDUCE
  98: (stack) => stack.build(), // BUILD
};

/** By operation code. */
export const OPERATIONS: Readonly<Record<number, Operation>> = {
  ...FRAMING,
  ...CONSTANTS,
  ...NUMBERS,
  ...TEXTS,
  ...COLLECTIONS,
  ...STACK_AND_MEMO,
  ...ARRAYS,
};

/** Known operations that are never carried out, so that the refusal can say what the file wanted. */
export const REFUSED: Readonly<Record<number, string>> = {
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
