import { pipeline } from "node:stream/promises";
import { type ExtractEvents, extract } from "tar-stream";

/** One entry of an archive, known before its content is read. */
export interface TarEntry {
  /** Full name inside the archive. It is compared, never followed, so a path that climbs out does no harm. */
  readonly name: string;
  readonly kind: "file" | "other";
  /** Bytes. */
  readonly size: number;
}

/** Receives the whole content of an entry. */
export type TakeContent = (content: Buffer) => void | Promise<void>;

/** The archive is damaged or hostile; the message completes the sentence "damaged archive (…)". */
export class TarDamage extends Error {
  override readonly name = "TarDamage";
}

/** tar-stream also says where an entry's content begins, which its types leave out. */
type Header = ExtractEvents["entry"][0] & { readonly byteOffset: number };

const BLOCK = 512;
/** Archives from before POSIX say nothing about their form; tar-stream's types leave the option out. */
const OPTIONS = { allowUnknownFormat: true } as Parameters<typeof extract>[0];

/** What tar-stream reports, in our words. Anything else that it throws also means damage. */
const WORDS: Readonly<Record<string, string>> = {
  "Unexpected end of data": "it ends in the middle of a file",
  "Header exceeds max size": "an extended header claims more than 4194304 bytes",
  "Invalid header": "an entry has an invalid size",
  "Invalid tar header. Maybe the tar is corrupted or it needs to be gunzipped?":
    "it has a header with a wrong checksum: it is not a tar archive, or it was altered",
};

/**
 * Remembers which blocks begin with a zero byte, one bit each. No header does, except the empty ones that close an
 * archive, and tar-stream passes over those without a word wherever they are.
 */
const watchForZeros = (maxBytes: number) => {
  const bits = new Uint8Array(Math.ceil(maxBytes / BLOCK / 8));
  let seen = 0;
  return {
    see(chunk: Buffer): void {
      for (let at = (BLOCK - (seen % BLOCK)) % BLOCK; at < chunk.length; at += BLOCK) {
        if (chunk[at] !== 0) continue;
        const block = (seen + at) / BLOCK;
        bits[block >> 3]! |= 1 << (block & 7);
      }
      seen += chunk.length;
    },
    /** @param offset of a block, in bytes */
    startsWithZero(offset: number): boolean {
      const block = offset / BLOCK;
      return block < bits.length * 8 && (bits[block >> 3]! & (1 << (block & 7))) !== 0;
    },
  };
};

/** Where the block after an entry begins. */
const endOf = ({ byteOffset, type, size }: Header): number =>
  byteOffset + (type === "directory" ? 0 : Math.ceil(size / BLOCK) * BLOCK);

const contentOf = async (entry: AsyncIterable<unknown>, size: number): Promise<Buffer> => {
  // Not zeroed: every byte is overwritten, or reading fails because the archive is cut short.
  const content = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for await (const chunk of entry as AsyncIterable<Buffer>) {
    content.set(chunk, at);
    at += chunk.length;
  }
  return content;
};

/**
 * Reads an unpacked tar archive (ustar, pax or GNU) in one pass. Nothing is written to disk. Only one content is in
 * memory at a time, and the next entry is read when the last one was taken.
 *
 * @param chunks the archive's bytes, in pieces of any size
 * @param maxBytes the archive is refused when it is longer
 * @param onEntry is called for every entry; what it returns gets the content, and undefined skips the entry. It
 *   decides by `size` whether to spend that much memory.
 * @throws TarDamage if this is not a whole, well-formed archive with at least one entry; what `chunks`, `onEntry`
 *   and the receivers throw passes through
 */
export const readTar = async (
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
  onEntry: (entry: TarEntry) => TakeContent | undefined,
): Promise<void> => {
  const reader = extract(OPTIONS);
  const zeros = watchForZeros(maxBytes);
  /** What the caller's own functions threw: no fault of the archive's form. */
  const outside: unknown[] = [];
  const ours = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      outside.push(error);
      throw error;
    }
  };

  async function* bounded(): AsyncGenerator<Buffer> {
    let bytes = 0;
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw new TarDamage(`it unpacks to more than ${maxBytes} bytes`);
        zeros.see(chunk);
        yield chunk;
      }
    } catch (error) {
      outside.push(error);
      throw error;
    }
  }
  const takeAll = async (): Promise<void> => {
    let end = 0;
    let entries = 0;
    for await (const entry of reader) {
      const header = entry.header as Header;
      const { name, type, size } = header;
      if (zeros.startsWithZero(end)) throw new TarDamage("a block of zeros lies between two entries");
      if (/\p{Cc}/u.test(name)) throw new TarDamage("an entry's name contains control characters");
      end = endOf(header);
      entries += 1;
      const kind = type === "file" || type === "contiguous-file" ? "file" : "other";
      const receive = await ours(() => onEntry({ name, kind, size }));
      if (receive === undefined) entry.resume();
      else {
        const content = await contentOf(entry, size);
        await ours(() => receive(content));
      }
    }
    if (entries === 0) throw new TarDamage("it contains no files");
  };

  // The order matters: where one fails, the other only says that it was cut off.
  const results = await Promise.allSettled([takeAll(), pipeline(bounded(), reader)]);
  if (outside.length > 0) throw outside[0];
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return;
  if (failed.reason instanceof TarDamage) throw failed.reason;
  const { message } = failed.reason as Error;
  throw new TarDamage(WORDS[message] ?? `it cannot be read as a tar archive: ${message}`, {
    cause: failed.reason,
  });
};
