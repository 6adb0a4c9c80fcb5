import { createHash, type Hash } from "node:crypto";
import { open } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { UserError } from "#contract/failure.ts";
import type { NamedTensor, Tensor } from "#contract/tensor.ts";
import { PIECE_BYTES, pieces, writeDurably } from "./durable-files.ts";
import { decodeHeader, encodeHeader, MAX_HEADER_BYTES } from "./safetensors-header.ts";

export interface SafetensorsFile {
  /** In the order in which they were handed to the writer; their bytes are views of one buffer. */
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  /** SHA-256 (hex) of the whole file. */
  readonly sha256: string;
}

/**
 * Writes tensors in the safetensors format (https://github.com/huggingface/safetensors), durably and in pieces,
 * so that the event loop is never held up. Tensors must not change until the promise resolves.
 * @returns the file's SHA-256 (hex) and its size in bytes.
 * @throws UserError when the disk is full or may not be written; TypeError on a name that comes twice.
 */
export const writeSafetensors = async (
  path: string,
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<{ sha256: string; bytes: number }> => {
  const { prefix, layout } = encodeHeader(tensors, metadata);
  return writeDurably(path, [prefix, ...layout.map((t) => t.bytes)]);
};

type Handle = Awaited<ReturnType<typeof open>>;

const readExactly = async (handle: Handle, length: number, hash: Hash, path: string): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(PIECE_BYTES, length - at));
    if (bytesRead === 0) throw new UserError(`${path} became shorter while it was read. Try again.`);
    hash.update(bytes.subarray(at, at + bytesRead));
    at += bytesRead;
  }
  return bytes;
};

/**
 * Reads a safetensors file whole, after its header was checked against its size.
 * @throws UserError that names the file, when it is missing, cut short, overlong or lies about itself.
 */
export const readSafetensorsFile = async (path: string): Promise<SafetensorsFile> => {
  let handle: Handle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    throw new UserError(`${path} cannot be opened (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    });
  }
  try {
    const { size } = await handle.stat();
    const refuse = (why: string): never => {
      throw new UserError(
        `${path} is not a valid safetensors file: ${why}. Replace it with an undamaged copy.`,
      );
    };
    if (size < 8) refuse(`it has ${size} bytes`);
    const hash = createHash("sha256");
    const first = await readExactly(handle, 8, hash, path);
    const length = new DataView(first.buffer).getBigUint64(0, true);
    if (length > BigInt(MAX_HEADER_BYTES)) refuse(`its header claims ${length} bytes`);
    if (length > BigInt(size - 8)) refuse(`its header claims ${length} bytes, the file has ${size}`);
    const json = await readExactly(handle, Number(length), hash, path);
    const { entries, metadata } = decodeHeader(json, size - 8 - json.byteLength, path);
    const data = await readExactly(handle, size - 8 - json.byteLength, hash, path);
    const tensors = entries.map(({ name, dtype, shape, begin, end }) => ({
      name,
      dtype,
      shape,
      bytes: data.subarray(begin, end),
    }));
    return { tensors, metadata, sha256: hash.digest("hex") };
  } finally {
    await handle.close();
  }
};

/** The tensors of a safetensors file, in the order in which they were written. As readSafetensorsFile. */
export const readSafetensors = async (path: string): Promise<readonly NamedTensor[]> =>
  (await readSafetensorsFile(path)).tensors;

/**
 * SHA-256 (hex) over the tensors' bytes in their order; names and shapes do not count.
 * Gives way to the event loop after every MiB. Tensors must not change until the promise resolves.
 */
export const weightsSha256 = async (tensors: readonly Tensor[]): Promise<string> => {
  const hash = createHash("sha256");
  let sinceTurn = 0;
  for (const piece of pieces(tensors.map((t) => t.bytes))) {
    if (sinceTurn + piece.byteLength > PIECE_BYTES) {
      await turn();
      sinceTurn = 0;
    }
    hash.update(piece);
    sinceTurn += piece.byteLength;
  }
  return hash.digest("hex");
};
