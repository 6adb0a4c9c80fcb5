/** The few calls that numpy's arrays are pickled as, described as data. None of them exists as code here. */
import { PickleRefused } from "./refused.ts";
import { isKind, type PickleArray, type PickleGlobal, type PickleValue, shortText } from "./values.ts";

/** Every name that a pickle may refer to. */
const ALLOWED: Readonly<Record<string, PickleGlobal["name"]>> = {
  "numpy.core.multiarray._reconstruct": "reconstruct",
  "numpy._core.multiarray._reconstruct": "reconstruct",
  "numpy.ndarray": "ndarray",
  "numpy.dtype": "dtype",
  "_codecs.encode": "encode",
};
const MAX_DIMENSIONS = 32;

/** Control characters out, length bounded: the name goes into a message. */
const printable = (name: string) => name.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);

/** @throws PickleRefused for every name but those of arrays */
export const globalNamed = (module: string, name: string): PickleGlobal => {
  const full = `${module}.${name}`;
  if (!Object.hasOwn(ALLOWED, full)) {
    throw new PickleRefused(`refers to ${printable(full)}, which is not data: nothing was executed`);
  }
  return { kind: "global", name: ALLOWED[full]! };
};

const shapeOf = (value: PickleValue | undefined): number[] => {
  if (!isKind(value, "tuple") || value.items.length > MAX_DIMENSIONS) {
    throw new PickleRefused("has a malformed array shape");
  }
  return value.items.map((n) => {
    if (typeof n !== "number" || !Number.isSafeInteger(n) || n < 0) {
      throw new PickleRefused("has a malformed array shape");
    }
    return n;
  });
};

const dtypeOf = (value: PickleValue | undefined): PickleValue => {
  const code = shortText(value);
  if (code === undefined) throw new PickleRefused("has a malformed array type");
  return { kind: "dtype", code: code.replace(/^[<>=|]/, ""), bigEndian: code.startsWith(">") };
};

/** Describes what a call would have made. */
export const describeCall = (target: PickleValue, args: PickleValue): PickleValue => {
  if (!isKind(target, "global") || !isKind(args, "tuple")) {
    throw new PickleRefused("calls something that is not a function");
  }
  const [first, second] = args.items;
  if (target.name === "reconstruct" && isKind(first, "global") && first.name === "ndarray") {
    return { kind: "array", shape: shapeOf(second), dtype: undefined, fortran: false, data: undefined };
  }
  if (target.name === "dtype") return dtypeOf(first);
  if (target.name === "encode" && isKind(first, "text")) {
    const encoding = shortText(second);
    if (encoding === "latin1" || encoding === "latin-1") return { kind: "encoded", text: first };
    throw new PickleRefused("encodes text as something other than latin1");
  }
  throw new PickleRefused(`calls ${target.name} with arguments that no array has`);
};

const buildArray = (array: PickleArray, state: readonly PickleValue[]): void => {
  // (version, shape, dtype, is_fortran, contents); versions before 1 have no version entry and are of the 1990s
  const [, shape, dtype, fortran, data] = state;
  if (state.length !== 5 || !isKind(dtype, "dtype")) throw new PickleRefused("has a malformed array");
  if (!isKind(data, "text", "bytes", "encoded")) {
    throw new PickleRefused("has an array of objects, which is not data");
  }
  array.shape = shapeOf(shape);
  array.dtype = dtype;
  array.fortran = fortran === true || fortran === 1;
  array.data = data;
};

/** Fills in the state of a described array or array type. */
export const giveState = (object: PickleValue, state: PickleValue): void => {
  if (!isKind(state, "tuple")) throw new PickleRefused("gives an object a state that no array has");
  if (isKind(object, "array")) buildArray(object, state.items);
  else if (isKind(object, "dtype")) object.bigEndian = shortText(state.items[1]) === ">";
  else throw new PickleRefused("gives a state to something that is not an array");
};
