/**
 * A reader for tar archives as data sets use them: ustar (POSIX.1-1988), pax (POSIX.1-2001) and GNU long names.
 * Nothing is ever written to disk and no name is followed, so paths that climb out of the archive are harmless.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06
 */

export interface TarEntry {
  /** Full name inside the archive. */
  readonly name: string;
  readonly kind: "file" | "other";
  /** Bytes. */
  readonly size: number;
}

/** The archive is not what it says; the message is the middle of a sentence. */
export class TarDamage extends Error {
  override readonly name = "TarDamage";
}

const BLOCK = 512;
/** Long names and pax records are a few hundred bytes in practice. */
const MAX_METADATA = 1 << 16;

const text = (bytes: Buffer, from: number, length: number): string => {
  const end = bytes.indexOf(0, from);
  return bytes.toString("utf8", from, end < 0 || end > from + length ? from + length : end);
};

/** Octal digits, or GNU's base 256 with the first bit set. */
const number = (bytes: Buffer, from: number, length: number, what: string): number => {
  if (bytes[from]! & 0x80) {
    let value = bytes[from]! & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + bytes[from + i]!;
    if (!Number.isSafeInteger(value)) throw new TarDamage(`${what} is out of range`);
    return value;
  }
  const digits = text(bytes, from, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new TarDamage(`${what} is not a number`);
  return digits === "" ? 0 : Number.parseInt(digits, 8);
};

const verifyChecksum = (header: Buffer): void => {
  const stored = number(header, 148, 8, "a header's checksum");
  let sum = 8 * 0x20; // the checksum's own field counts as spaces
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i]!;
  if (sum !== stored) throw new TarDamage("a header's checksum is wrong: not a tar archive, or damaged");
};

/** Records of the form "<length> <key>=<value>\n". */
const paxRecords = (bytes: Buffer): Map<string, string> => {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(bytes.toString("latin1", at, space));
    const end = at + length;
    if (!Number.isInteger(length) || end <= space + 1 || end > bytes.length) {
      throw new TarDamage("an extended header is malformed");
    }
    const record = bytes.toString("utf8", space + 1, end - 1);
    const equals = record.indexOf("=");
    if (equals < 0) throw new TarDamage("an extended header is malformed");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
};

/**
 * A push reader: `write` chunks of any size, then `end`.
 *
 * @param onEntry is asked for every entry; what it returns is called with the whole content, undefined skips it.
 *   It decides by `entry.size` whether so much memory may be spent.
 * @throws TarDamage from `write` and `end`
 */
export const createTarReader = (onEntry: (entry: TarEntry) => ((bytes: Buffer) => void) | undefined) => {
  const header = Buffer.alloc(BLOCK);
  let filled = 0; // bytes of the header that are there
  let body: Buffer | undefined; // undefined while a content is skipped
  let taken = 0;
  let size = 0;
  let padding = 0;
  let finish: ((bytes: Buffer) => void) | undefined;
  let longName: string | undefined;
  let pax = new Map<string, string>();
  let zeroBlocks = 0;
  let entries = 0;

  const expect = (bytes: number, keep: boolean, then: ((bytes: Buffer) => void) | undefined) => {
    size = bytes;
    padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
    taken = 0;
    // not zeroed: every byte is overwritten before anybody sees it, or the archive is refused as cut short
    body = keep ? Buffer.allocUnsafeSlow(bytes) : undefined;
    finish = then;
    if (bytes > 0) return;
    finish = undefined;
    then?.(Buffer.alloc(0));
  };

  const metadata = (bytes: number, then: (content: Buffer) => void) => {
    if (bytes > MAX_METADATA) throw new TarDamage(`an extended header claims ${bytes} bytes`);
    expect(bytes, true, then);
  };

  const readHeader = (): void => {
    if (header.every((byte) => byte === 0)) {
      zeroBlocks++;
      return;
    }
    if (zeroBlocks === 1) throw new TarDamage("a block of zeros lies between two entries");
    verifyChecksum(header);
    const type = String.fromCharCode(header[156]!);
    const length = number(header, 124, 12, "an entry's size");
    if (type === "x") {
      metadata(length, (content) => {
        pax = paxRecords(content);
      });
      return;
    }
    if (type === "L") {
      metadata(length, (content) => {
        longName = text(content, 0, content.length);
      });
      return;
    }
    if (type === "g" || type === "K") {
      metadata(length, () => {}); // defaults for all entries, long link targets: neither concerns contents
      return;
    }

    const ustar = header.toString("latin1", 257, 262) === "ustar";
    const prefix = ustar && header[262] === 0 ? text(header, 345, 155) : "";
    const plain = text(header, 0, 100);
    const name = pax.get("path") ?? longName ?? (prefix === "" ? plain : `${prefix}/${plain}`);
    const real = pax.has("size") ? Number(pax.get("size")) : length;
    if (!Number.isSafeInteger(real) || real < 0) throw new TarDamage("an entry's size is out of range");
    pax = new Map();
    longName = undefined;
    entries++;
    const isFile = type === "0" || type === "\0" || type === "7";
    // links and devices have no content whatever their size field says; folders may reserve some
    const content = isFile || type === "5" ? real : 0;
    const then = onEntry({ name, kind: isFile ? "file" : "other", size: content });
    expect(content, then !== undefined, then);
  };

  return {
    /** True once the archive's end was seen: whatever follows is of no interest. */
    get done() {
      return zeroBlocks >= 2;
    },
    write(chunk: Buffer): void {
      let at = 0;
      while (at < chunk.length && zeroBlocks < 2) {
        if (taken < size) {
          const n = Math.min(size - taken, chunk.length - at);
          body?.set(chunk.subarray(at, at + n), taken);
          taken += n;
          at += n;
          if (taken === size && body && finish) {
            const whole = body;
            const then = finish;
            body = undefined; // the receiver alone holds it now
            finish = undefined;
            then(whole);
          }
        } else if (padding > 0) {
          const n = Math.min(padding, chunk.length - at);
          padding -= n;
          at += n;
        } else {
          const n = Math.min(BLOCK - filled, chunk.length - at);
          header.set(chunk.subarray(at, at + n), filled);
          filled += n;
          at += n;
          if (filled < BLOCK) continue;
          filled = 0;
          readHeader();
        }
      }
    },
    /** Says that no more comes. */
    end(): void {
      if (taken < size || filled > 0) throw new TarDamage("ends in the middle of a file");
      if (entries === 0) throw new TarDamage("holds no files");
      // some writers leave the closing zero blocks out; a missing member is found by its name
    },
  };
};
