import { PickleRefused } from "./refused.ts";

const MAX_NAME = 256;

/** Reads a pickle's bytes from front to back. What it gives out are views of `file`. */
export const createCursor = (file: Buffer) => {
  let at = 0;

  const take = (length: number): Buffer => {
    const left = file.length - at;
    if (length > left) {
      throw new PickleRefused(`claims ${length} bytes at offset ${at} where ${left} are left`);
    }
    at += length;
    return file.subarray(at - length, at);
  };
  const line = (): Buffer => {
    const end = file.indexOf(0x0a, at);
    if (end < 0) throw new PickleRefused("ends in the middle of a line");
    const bytes = file.subarray(at, end);
    at = end + 1;
    return bytes;
  };
  return {
    take,
    /** Up to the next line feed, which is left out. */
    line,
    u1: (): number => take(1)[0]!,
    u4: (): number => take(4).readUInt32LE(0),
    u8: (): number => Number(take(8).readBigUInt64LE(0)),
    /** A length with a sign, which must be positive. */
    i4(): number {
      const length = take(4).readInt32LE(0);
      if (length < 0) throw new PickleRefused("claims a negative length");
      return length;
    },
    /** A line with a name in it. */
    name(): string {
      const bytes = line();
      if (bytes.length > MAX_NAME) throw new PickleRefused(`contains a name of more than ${MAX_NAME} bytes`);
      return bytes.toString("latin1");
    },
    get offset(): number {
      return at;
    },
    get left(): number {
      return file.length - at;
    },
  };
};

export type Cursor = ReturnType<typeof createCursor>;
