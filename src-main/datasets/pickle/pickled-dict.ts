import { FETCH_AGAIN, refusal } from "#main/datasets/refusal.ts";
import { uint8Array, wholeNumbers } from "./arrays.ts";
import { readPickle } from "./read-pickle.ts";
import { PickleRefused } from "./refused.ts";
import { isKind } from "./values.ts";

/** A pickled Python dictionary of arrays and lists. Its methods throw UserError if an entry is something else. */
export interface PickledDict {
  /** The bytes of a C-ordered uint8 array of exactly this shape, as a view of the file where possible. */
  uint8Array(key: string, shape: readonly number[]): Buffer;
  /** A list, or an integer array, of `count` whole numbers from 0 to `below` - 1. */
  wholeNumbers(key: string, count: number, below: number): number[];
}

const refusing = <T>(file: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PickleRefused)) throw error;
    throw refusal(file, `the pickle ${error.message}`, FETCH_AGAIN, error);
  }
};

/**
 * The one way into this folder: opens a pickle that contains a dictionary. Nothing in the file is ever executed.
 *
 * @param file names the file in a refusal
 * @throws UserError if the pickle is damaged, contains anything but data, or is no dictionary
 */
export const openPickledDict = (file: string, bytes: Buffer): PickledDict =>
  refusing(file, () => {
    const dict = readPickle(bytes);
    if (!isKind(dict, "dict")) throw new PickleRefused("contains no dictionary");
    const { entries } = dict;
    return {
      uint8Array: (key, shape) => refusing(file, () => uint8Array(entries.get(key), key, shape)),
      wholeNumbers: (key, count, below) =>
        refusing(file, () => wholeNumbers(entries.get(key), key, count, below)),
    };
  });
