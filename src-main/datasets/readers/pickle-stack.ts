import {
  isKind,
  type PickleArray,
  type PickleDict,
  type PickleGlobal,
  PickleRefused,
  type PickleValue,
  shortText,
} from "./pickle-values.ts";

/** All that may be named. Each is described as data by `reduce` below; none exists as code here. */
const ALLOWED: Readonly<Record<string, PickleGlobal["name"]>> = {
  "numpy.core.multiarray._reconstruct": "reconstruct",
  "numpy._core.multiarray._reconstruct": "reconstruct",
  "numpy.ndarray": "ndarray",
  "numpy.dtype": "dtype",
  "_codecs.encode": "encode",
};

/** CIFAR-100's training file has about 250,000 values. Bounds memory whatever a file repeats. */
const MAX_VALUES = 4_000_000;
const MAX_MARKS = 1_000;

/** Control characters out, length bounded: the name goes into a message. */
const printable = (name: string) => name.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);

/** The pickle machine's stack and memo. */
export const createPickleStack = () => {
  const values: PickleValue[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();
  let pushed = 0;

  const push = (value: PickleValue): void => {
    if (++pushed > MAX_VALUES) throw new PickleRefused(`holds more than ${MAX_VALUES} values`);
    values.push(value);
  };

  const pop = (): PickleValue => {
    // a mark is a floor: what lies under it belongs to the collection outside
    if (values.length <= (marks.at(-1) ?? 0)) throw new PickleRefused("is damaged: a value is missing");
    return values.pop() as PickleValue;
  };

  const top = (): PickleValue => {
    const value = pop();
    values.push(value);
    return value;
  };

  const popToMark = (): PickleValue[] => {
    const mark = marks.pop();
    if (mark === undefined) throw new PickleRefused("is damaged: a mark is missing");
    return values.splice(mark);
  };

  const key = (value: PickleValue): string => {
    const text = typeof value === "number" ? String(value) : shortText(value);
    if (text === undefined) throw new PickleRefused("has a dictionary key that is not a short text");
    return text;
  };

  const pushGlobal = (module: string, name: string): void => {
    const full = `${module}.${name}`;
    if (!Object.hasOwn(ALLOWED, full)) {
      throw new PickleRefused(`refers to ${printable(full)}, which is not data: nothing was executed`);
    }
    push({ kind: "global", name: ALLOWED[full]! });
  };

  const shapeOf = (value: PickleValue | undefined): number[] => {
    if (!isKind(value, "tuple") || value.items.length > 32)
      throw new PickleRefused("has a malformed array shape");
    return value.items.map((n) => {
      if (typeof n !== "number" || !Number.isSafeInteger(n) || n < 0) {
        throw new PickleRefused("has a malformed array shape");
      }
      return n;
    });
  };

  const buildArray = (array: PickleArray, state: readonly PickleValue[]): void => {
    // (version, shape, dtype, is_fortran, contents); versions before 1 have no version entry and are of the 1990s
    const [, shape, dtype, fortran, data] = state;
    if (state.length !== 5 || !isKind(dtype, "dtype")) throw new PickleRefused("has a malformed array");
    if (!isKind(data, "text", "bytes", "encoded"))
      throw new PickleRefused("has an array of objects, which is not data");
    array.shape = shapeOf(shape);
    array.dtype = dtype;
    array.fortran = fortran === true || fortran === 1;
    array.data = data;
  };

  return {
    push,
    pop,
    top,
    popToMark,
    pushGlobal,
    mark(): void {
      if (marks.length >= MAX_MARKS) throw new PickleRefused(`nests deeper than ${MAX_MARKS}`);
      marks.push(values.length);
    },
    /** POP: the topmost value, or the mark if nothing lies above it. */
    discard(): void {
      if (marks.at(-1) === values.length) marks.pop();
      else pop();
    },
    tuple(length: number): void {
      const items = Array.from({ length }, pop).reverse();
      push({ kind: "tuple", items });
    },
    appendItems(items: readonly PickleValue[]): void {
      const list = top();
      if (!isKind(list, "list")) throw new PickleRefused("is damaged: appends to what is not a list");
      for (const item of items) list.items.push(item);
    },
    setItems(items: readonly PickleValue[]): void {
      const dict = top();
      if (!isKind(dict, "dict") || items.length % 2 !== 0) {
        throw new PickleRefused("is damaged: sets an entry of what is not a dictionary");
      }
      for (let i = 0; i < items.length; i += 2) dict.entries.set(key(items[i]!), items[i + 1]!);
    },
    remember(index: number = memo.size): void {
      memo.set(index, top());
    },
    recall(index: number): void {
      const value = memo.get(index);
      if (value === undefined) throw new PickleRefused("is damaged: recalls a value that was never there");
      push(value);
    },
    stackGlobal(): void {
      const name = shortText(pop());
      const module = shortText(pop());
      if (name === undefined || module === undefined) throw new PickleRefused("has a malformed name");
      pushGlobal(module, name);
    },
    /** Describes what a call would have made. */
    reduce(): void {
      const args = pop();
      const target = pop();
      if (!isKind(target, "global") || !isKind(args, "tuple"))
        throw new PickleRefused("calls what is not a function");
      const [first, second] = args.items;
      if (target.name === "reconstruct" && isKind(first, "global") && first.name === "ndarray") {
        push({ kind: "array", shape: shapeOf(second), dtype: undefined, fortran: false, data: undefined });
      } else if (target.name === "dtype") {
        const code = shortText(first);
        if (code === undefined) throw new PickleRefused("has a malformed array type");
        push({ kind: "dtype", code: code.replace(/^[<>=|]/, ""), bigEndian: code.startsWith(">") });
      } else if (target.name === "encode" && isKind(first, "text")) {
        const encoding = shortText(second);
        if (encoding !== "latin1" && encoding !== "latin-1")
          throw new PickleRefused("encodes to other than latin1");
        push({ kind: "encoded", text: first });
      } else throw new PickleRefused(`calls ${target.name} with arguments that no array has`);
    },
    /** Fills in the state of an array or an array type. */
    build(): void {
      const state = pop();
      const object = top();
      if (!isKind(state, "tuple")) throw new PickleRefused("gives an object a state that no array has");
      if (isKind(object, "array")) buildArray(object, state.items);
      else if (isKind(object, "dtype")) object.bigEndian = shortText(state.items[1]) === ">";
      else throw new PickleRefused("gives a state to what is not an array");
    },
    result(): PickleValue {
      if (values.length !== 1 || marks.length > 0) throw new PickleRefused("does not hold exactly one value");
      return values[0]!;
    },
  };
};

/** An entry of a dictionary. */
export const entryOf = (value: PickleValue, name: string): PickleValue | undefined => {
  if (!isKind(value, "dict")) throw new PickleRefused("holds no dictionary");
  return (value as PickleDict).entries.get(name);
};
