import { describeCall, giveState, globalNamed } from "./numpy.ts";
import { PickleRefused } from "./refused.ts";
import { isKind, type PickleValue, shortText } from "./values.ts";

/** CIFAR-100's training file has about 250,000 values. Bounds the memory, however often a file repeats itself. */
const MAX_VALUES = 4_000_000;
const MAX_MARKS = 1_000;

const keyOf = (value: PickleValue): string => {
  const text = typeof value === "number" ? String(value) : shortText(value);
  if (text === undefined) throw new PickleRefused("has a dictionary key that is not a short text");
  return text;
};

/** The pickle machine's stack and memo. */
export const createPickleStack = () => {
  const values: PickleValue[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();
  let pushed = 0;

  const push = (value: PickleValue): void => {
    if (++pushed > MAX_VALUES) throw new PickleRefused(`contains more than ${MAX_VALUES} values`);
    values.push(value);
  };
  const pop = (): PickleValue => {
    // a mark is a floor: what lies below it belongs to the enclosing collection
    if (values.length <= (marks.at(-1) ?? 0)) throw new PickleRefused("is damaged: a value is missing");
    return values.pop() as PickleValue;
  };
  const top = (): PickleValue => {
    const value = pop();
    values.push(value);
    return value;
  };
  return {
    push,
    pop,
    top,
    popToMark(): PickleValue[] {
      const mark = marks.pop();
      if (mark === undefined) throw new PickleRefused("is damaged: a mark is missing");
      return values.splice(mark);
    },
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
      if (!isKind(list, "list")) {
        throw new PickleRefused("is damaged: it appends to something that is not a list");
      }
      for (const item of items) list.items.push(item);
    },
    setItems(items: readonly PickleValue[]): void {
      const dict = top();
      if (!isKind(dict, "dict") || items.length % 2 !== 0) {
        throw new PickleRefused("is damaged: it sets an entry of something that is not a dictionary");
      }
      for (let i = 0; i < items.length; i += 2) dict.entries.set(keyOf(items[i]!), items[i + 1]!);
    },
    remember(index: number = memo.size): void {
      memo.set(index, top());
    },
    recall(index: number): void {
      const value = memo.get(index);
      if (value === undefined) {
        throw new PickleRefused("is damaged: it recalls a value that was never stored");
      }
      push(value);
    },
    stackGlobal(): void {
      const name = shortText(pop());
      const module = shortText(pop());
      if (name === undefined || module === undefined) throw new PickleRefused("has a malformed name");
      push(globalNamed(module, name));
    },
    reduce(): void {
      const args = pop();
      push(describeCall(pop(), args));
    },
    build(): void {
      const state = pop();
      giveState(top(), state);
    },
    result(): PickleValue {
      if (values.length !== 1 || marks.length > 0) {
        throw new PickleRefused("does not contain exactly one value");
      }
      return values[0]!;
    },
  };
};

export type PickleStack = ReturnType<typeof createPickleStack>;
