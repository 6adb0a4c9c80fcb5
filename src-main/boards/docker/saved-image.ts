import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import type { Architecture } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { architecture } from "#main/boards/probe/docker-facts.ts";

/** A file of `docker save`, read before a gigabyte of it is sent to a board. */

export interface SavedImage {
  readonly tags: readonly string[];
  readonly arch: Architecture;
  readonly labels: Readonly<Record<string, string>>;
}

/** A manifest or a configuration, never a layer. */
const SMALL_BYTES = 1024 * 1024;
const SMALL_FILES = 2000;

const isJson = (content: Buffer): boolean => content[0] === 0x7b || content[0] === 0x5b;

/**
 * Images of an archive that `docker save` wrote, plain or gzipped.
 * @throws UserError for any other file
 */
export const readSavedImages = async (file: string, signal?: AbortSignal): Promise<SavedImage[]> => {
  const no = (why: string, cause?: unknown): UserError =>
    new UserError(`${file} is not a saved image: ${why}. Save one with "docker save --output FILE IMAGE".`, {
      cause,
    });
  const head = await open(file).then(
    async (handle) => {
      try {
        return (await handle.read(Buffer.alloc(2), 0, 2, 0)).buffer;
      } finally {
        await handle.close();
      }
    },
    (error: unknown) => {
      throw no("it cannot be read", error);
    },
  );
  const small = new Map<string, Buffer>();
  const reader = extract();
  const source = createReadStream(file, { highWaterMark: 1024 * 1024 });
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  const read = async (): Promise<void> => {
    for await (const entry of reader) {
      const { name, size = 0, type } = entry.header;
      if (type === "file" && size <= SMALL_BYTES && small.size < SMALL_FILES) {
        const content = await buffer(entry);
        if (isJson(content)) small.set(name.replace(/^\.\//, ""), content);
      } else entry.resume();
    }
  };
  const options = signal === undefined ? {} : { signal };
  const all = Promise.all([
    read(),
    isGzip ? pipeline(source, createGunzip(), reader, options) : pipeline(source, reader, options),
  ]);
  try {
    await all;
  } catch (error) {
    signal?.throwIfAborted();
    throw no("it is not a tar archive, or it is damaged", error);
  }
  const manifest = small.get("manifest.json");
  if (manifest === undefined) throw no("it has no manifest.json");
  try {
    const entries = JSON.parse(manifest.toString()) as { Config: string; RepoTags?: string[] | null }[];
    return entries.map(({ Config, RepoTags }) => {
      const config = JSON.parse(small.get(Config)!.toString()) as {
        architecture?: string;
        config?: { Labels?: Record<string, string> | null };
      };
      return {
        tags: RepoTags ?? [],
        arch: architecture(config.architecture ?? ""),
        labels: config.config?.Labels ?? {},
      };
    });
  } catch (error) {
    throw no("its manifest cannot be read", error);
  }
};

export const sizeOf = async (file: string): Promise<number> => (await stat(file)).size;
