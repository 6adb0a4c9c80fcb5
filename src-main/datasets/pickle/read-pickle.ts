/**
 * A reader for the pickles of CIFAR's python form (protocol 2, written by Python 2), also when Python 3 and numpy wrote
 * them again (protocols 0 to 4). Python's own unpickling runs whatever the file says; this interpreter knows values
 * only. It recognises the few names that numpy's arrays need and describes them as data; it refuses any other name, and
 * any operation that would build an object.
 *
 * Memory stays within a small multiple of the file: contents are views of it, and the stack bounds the number of
 * values. Nothing recurses, so nesting costs no call stack.
 */
import { createCursor } from "./cursor.ts";
import { OPERATIONS, REFUSED } from "./operations.ts";
import { PickleRefused } from "./refused.ts";
import { createPickleStack } from "./stack.ts";
import type { PickleValue } from "./values.ts";

const STOP = 0x2e;

/**
 * Reads one pickle. Texts and bytes in the result are views of `file`.
 *
 * @throws PickleRefused if the file is damaged, lies about a length, or contains anything but data
 */
export const readPickle = (file: Buffer): PickleValue => {
  const stack = createPickleStack();
  const cursor = createCursor(file);
  for (let code = cursor.u1(); code !== STOP; code = cursor.u1()) {
    const operation = OPERATIONS[code];
    if (!operation) {
      const wanted = REFUSED[code] ?? `unknown operation 0x${code.toString(16).padStart(2, "0")}`;
      throw new PickleRefused(
        `asks for ${wanted} at offset ${cursor.offset - 1}, which is not plain data: nothing was executed`,
      );
    }
    operation(stack, cursor);
  }
  if (cursor.left > 0) throw new PickleRefused(`has ${cursor.left} bytes after its end`);
  return stack.result();
};
