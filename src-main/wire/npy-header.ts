import type { Dtype } from "#contract/tensor.ts";
import { WireError } from "./protocol.ts";

/** What an npy header says. */
export interface NpyHeader {
  readonly dtype: Dtype;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

const DTYPE_OF: Readonly<Record<string, Dtype>> = {
  f2: "float16",
  f4: "float32",
  f8: "float64",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  b1: "bool",
};

/** NumPy's own bound since 2.0. */
const MAX_DIMENSIONS = 64;

type Token =
  | { readonly kind: "punctuation"; readonly text: "{" | "}" | "(" | ")" | "[" | "]" | ":" | "," }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "end" };

const bad = (message: string): WireError => new WireError("bad-tensor", `npy header: ${message}`);

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
const isLetter = (c: number): boolean => (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x5f;
const isSpace = (c: number): boolean => c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d;

/** The few tokens of Python that a header needs; everything else is refused where it stands. */
const createTokenizer = (bytes: Uint8Array): { next(): Token } => {
  let at = 0;

  const readText = (quote: number): Token => {
    let text = "";
    for (let i = at + 1; i < bytes.length; i++) {
      const c = bytes[i]!;
      if (c === quote) {
        at = i + 1;
        return { kind: "text", text };
      }
      // Escapes and bytes beyond printable ASCII occur in no key and in no plain dtype.
      if (c === 0x5c || c < 0x20 || c > 0x7e) break;
      text += String.fromCharCode(c);
    }
    throw bad("a string is not closed or holds an odd character");
  };

  const readNumber = (): Token => {
    const start = at;
    let value = 0;
    while (at < bytes.length && isDigit(bytes[at]!)) {
      value = value * 10 + (bytes[at]! - 0x30);
      if (value > Number.MAX_SAFE_INTEGER) throw bad("a dimension is larger than any memory");
      at++;
    }
    if (at - start > 1 && bytes[start] === 0x30) throw bad("a number with a leading zero");
    // Python 2 wrote long integers with an L.
    if (at < bytes.length && bytes[at] === 0x4c) at++;
    if (at < bytes.length && (isLetter(bytes[at]!) || isDigit(bytes[at]!))) throw bad("a malformed number");
    return { kind: "number", value };
  };

  return {
    next: () => {
      while (at < bytes.length && isSpace(bytes[at]!)) at++;
      if (at >= bytes.length) return { kind: "end" };
      const c = bytes[at]!;
      if (c === 0x27 || c === 0x22) return readText(c);
      if (isDigit(c)) return readNumber();
      if (isLetter(c)) {
        let text = "";
        while (at < bytes.length && (isLetter(bytes[at]!) || isDigit(bytes[at]!))) {
          text += String.fromCharCode(bytes[at++]!);
        }
        return { kind: "word", text };
      }
      const text = String.fromCharCode(c);
      if (!"{}()[]:,".includes(text)) throw bad(`unexpected ${JSON.stringify(text)}`);
      at++;
      return { kind: "punctuation", text: text as "{" };
    },
  };
};

const isPunctuation = (token: Token, text: string): boolean =>
  token.kind === "punctuation" && token.text === text;

const readDescr = (token: Token): { dtype: Dtype; bigEndian: boolean } => {
  if (isPunctuation(token, "[")) throw bad("structured dtypes are refused");
  if (token.kind !== "text") throw bad("descr is not a string");
  const descr = token.text;
  const order = descr[0];
  const dtype = Object.hasOwn(DTYPE_OF, descr.slice(1)) ? DTYPE_OF[descr.slice(1)] : undefined;
  if (dtype === undefined) {
    const what = descr.includes("O") ? "object arrays are refused" : "is not a supported element type";
    throw bad(`dtype ${JSON.stringify(descr)} ${what}`);
  }
  // "=" is the byte order of a machine that we do not know; "|" says that there is none.
  if (order !== "<" && order !== ">" && !(order === "|" && descr[2] === "1")) {
    throw bad(`dtype ${JSON.stringify(descr)} does not say its byte order`);
  }
  return { dtype, bigEndian: order === ">" };
};

const readShape = (tokens: { next(): Token }, first: Token): readonly number[] => {
  if (!isPunctuation(first, "(")) throw bad("shape is not a tuple");
  const shape: number[] = [];
  let token = tokens.next();
  let commas = 0;
  while (!isPunctuation(token, ")")) {
    if (token.kind !== "number") throw bad("a dimension is not a non-negative integer");
    shape.push(token.value);
    if (shape.length > MAX_DIMENSIONS) throw bad(`more than ${MAX_DIMENSIONS} dimensions`);
    token = tokens.next();
    if (isPunctuation(token, ",")) {
      commas++;
      token = tokens.next();
    } else if (!isPunctuation(token, ")")) throw bad("dimensions are not separated by commas");
  }
  // `(3)` is an integer in Python, not a tuple.
  if (shape.length === 1 && commas === 0) throw bad("shape is not a tuple");
  return shape;
};

/**
 * Reads the Python dict literal of an npy header: exactly the keys descr, fortran_order and shape, each once, in
 * any order, with any whitespace and trailing commas.
 * @throws WireError `bad-tensor`, with what is wrong
 */
export const parseNpyHeader = (bytes: Uint8Array): NpyHeader => {
  const tokens = createTokenizer(bytes);
  let descr: { dtype: Dtype; bigEndian: boolean } | undefined;
  let fortranOrder: boolean | undefined;
  let shape: readonly number[] | undefined;
  if (!isPunctuation(tokens.next(), "{")) throw bad("is not a dict");
  let token = tokens.next();
  while (!isPunctuation(token, "}")) {
    if (token.kind !== "text") throw bad("a key is not a string");
    const key = token.text;
    if (!isPunctuation(tokens.next(), ":")) throw bad(`key ${JSON.stringify(key)} has no value`);
    const value = tokens.next();
    if (key === "descr" && descr === undefined) descr = readDescr(value);
    else if (key === "fortran_order" && fortranOrder === undefined) {
      if (value.kind !== "word" || (value.text !== "True" && value.text !== "False")) {
        throw bad("fortran_order is neither True nor False");
      }
      fortranOrder = value.text === "True";
    } else if (key === "shape" && shape === undefined) shape = readShape(tokens, value);
    else throw bad(`key ${JSON.stringify(key)} is unknown or comes twice`);
    token = tokens.next();
    if (isPunctuation(token, ",")) token = tokens.next();
    else if (!isPunctuation(token, "}")) throw bad("entries are not separated by commas");
  }
  if (tokens.next().kind !== "end") throw bad("something follows the dict");
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    throw bad("descr, fortran_order or shape is missing");
  }
  return { ...descr, fortranOrder, shape };
};
