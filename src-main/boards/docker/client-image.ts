import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { Architecture, ImageRecipe } from "#contract/boards.ts";
import { BoardError, type DockerEngine, LABELS, type SshConnection } from "#main/boards/board-ports.ts";
import { architecture } from "#main/boards/probe/docker-facts.ts";
import { cancelled } from "#main/boards/ssh/problems.ts";
import { packContext } from "./build-context.ts";
import { buildProblem, wrongArchitecture } from "./build-problems.ts";
import { createBuildProgress, type EngineMessage, messagesOf } from "./build-progress.ts";
import { spaceAt } from "./disk.ts";
import { diskFull, dockerFailed, isDiskFull } from "./engine-problems.ts";
import { clearHalfMade, clearLeftOver, createTraces, stays } from "./half-made.ts";
import type { SourceFile } from "./recipe-digest.ts";
import { readSavedImages, sizeOf } from "./saved-image.ts";

/** The client image on a board's engine: built there from a stream, or loaded from a file of this computer. */

export interface ImageWork {
  readonly connection: SshConnection;
  readonly engine: DockerEngine;
  /** Of the board. */
  readonly arch: Architecture;
  /** Where the engine keeps its images; for the message about a full disk. */
  readonly root?: string;
  readonly signal: AbortSignal;
  onProgress(progress: { readonly lines: readonly string[]; readonly fraction: number }): void;
}

export interface BuildInput {
  readonly recipe: ImageRecipe;
  readonly sources: readonly SourceFile[];
  readonly digest: string;
  readonly tag: string;
  /** A PEM text: certificates that the board's network requires. */
  readonly extraCa?: string;
  /** Proxies and the like. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Default: the board's own network, which needs no bridge of the engine's. */
  readonly network?: "host" | "default";
}

export interface FoundImage {
  readonly id: string;
  readonly arch: Architecture;
  readonly bytes: number;
  /** Of what it was built from; differs between versions of the lab. */
  readonly digest?: string;
}

/** @returns undefined where the engine has none of this name */
export const findImage = async (engine: DockerEngine, tag: string): Promise<FoundImage | undefined> => {
  try {
    const found = await engine.ask((docker) => docker.getImage(tag).inspect());
    const digest = found.Config.Labels?.[LABELS.recipe];
    return {
      id: found.Id,
      arch: architecture(found.Architecture),
      bytes: found.Size,
      ...(digest === undefined ? {} : { digest }),
    };
  } catch (error) {
    if (error instanceof BoardError && error.problem.code === "image-missing") return undefined;
    throw error;
  }
};

/** @returns whether it was there */
export const removeImage = async (engine: DockerEngine, tag: string): Promise<boolean> => {
  const found = await findImage(engine, tag);
  if (found === undefined) return false;
  await engine.ask((docker) => docker.getImage(tag).remove({ force: true }));
  return true;
};

/** Cut off without a final message: only the end of the engine or the connection does that. */
const cutOff = (): Error =>
  Object.assign(new Error("the engine stopped in the middle"), { code: "ECONNRESET" });

/** Reads an answer to its end. @returns the engine's own error message */
const follow = async (
  stream: Readable,
  signal: AbortSignal,
  onMessage: (message: EngineMessage) => void,
): Promise<string | undefined> => {
  const stop = (): void => {
    stream.destroy(new DOMException("stopped", "AbortError"));
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (signal.aborted) throw cancelled(signal.reason);
    for await (const message of messagesOf(stream)) {
      onMessage(message);
      const error = message.errorDetail?.message ?? message.error;
      if (error !== undefined) return error;
    }
    return undefined;
  } catch (error) {
    throw signal.aborted ? cancelled(signal.reason) : error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
};

const LAST_LINES = 80;

/**
 * Builds the image where it is missing; a failed attempt leaves nothing behind.
 * @throws BoardError "cancelled", "docker-stopped", "no-internet", "disk-full", "wrong-architecture", "build-failed", …
 */
export const buildImage = async (work: ImageWork, input: BuildInput): Promise<FoundImage> => {
  const { engine, signal } = work;
  const { recipe, sources, digest, tag } = input;
  const there = await findImage(engine, tag);
  if (there !== undefined && there.arch === work.arch) return there;
  await clearLeftOver(engine);
  const traces = createTraces();
  const older = await engine.ask((docker) =>
    docker.listImages({ filters: { label: [LABELS.client] } as never }),
  );
  const dockerfile = sources.find(({ path }) => path === recipe.dockerfile)!.content.toString();
  const progress = createBuildProgress(dockerfile);
  const lines: string[] = [];
  let built: string | undefined;
  const build = async (): Promise<string | undefined> =>
    await engine.ask(async (docker) => {
      const context = packContext(sources, input.extraCa) as unknown as NodeJS.ReadableStream;
      const stream: unknown = await docker.buildImage(context, {
        dockerfile: recipe.dockerfile,
        t: tag,
        labels: { [LABELS.recipe]: digest },
        buildargs: { BASE: recipe.base, FLWR: recipe.flwr, ...input.buildArgs },
        // An older one, even a loaded one, spares what did not change: then a build takes seconds.
        cachefrom: older.flatMap(({ RepoTags }) => RepoTags ?? []) as never,
        rm: true,
        forcerm: true,
        version: "1",
        abortSignal: signal,
        ...(input.network === "default" ? {} : { networkmode: "host" }),
      });
      const failed = await follow(stream as Readable, signal, (message) => {
        built = message.aux?.ID ?? built;
        const read = progress.read(message);
        traces.read(read.lines);
        lines.push(...read.lines.filter((line) => line.trim() !== ""));
        lines.splice(0, lines.length - LAST_LINES);
        work.onProgress(read);
      });
      if (failed === undefined && built === undefined) throw cutOff();
      return failed;
    });
  try {
    signal.throwIfAborted();
    const failed = await build();
    if (failed !== undefined) {
      await stays(engine, signal);
      throw new BoardError(
        buildProblem({
          error: failed,
          lines,
          board: work.arch,
          space: await spaceOf(work),
          neededBytes: recipe.diskBytes,
        }),
      );
    }
    return await checked(work, tag);
  } catch (error) {
    if (!work.connection.isClosed) await clearHalfMade(engine, traces).catch(() => {});
    if (signal.aborted) throw cancelled(error);
    throw error;
  }
};

const spaceOf = async ({ connection, root }: ImageWork) =>
  await spaceAt(connection, root ?? "/var/lib/docker");

/** An image of another kind of processor is of no use there, and is not kept. */
const checked = async ({ engine, arch }: ImageWork, tag: string): Promise<FoundImage> => {
  const found = await findImage(engine, tag);
  if (found === undefined) throw new Error(`${tag} is not there although the engine made it`);
  if (found.arch === arch) return found;
  await removeImage(engine, tag);
  throw new BoardError(wrongArchitecture(found.arch, arch));
};

const CHUNK = 256 * 1024;

/** Loads an image that `docker save` wrote, plain or gzipped, and gives it the name that the lab launches. */
export const loadImage = async (
  work: ImageWork,
  input: { readonly file: string; readonly tag: string; readonly digest: string },
): Promise<FoundImage> => {
  const { engine, signal, arch } = work;
  const images = await readSavedImages(input.file, signal);
  const clients = images.filter(({ labels }) => LABELS.client in labels || LABELS.recipe in labels);
  const suited = clients.find((image) => image.arch === arch);
  if (clients.length === 0) {
    throw new BoardError({
      code: "image-missing",
      title: "This file contains no client image",
      cause: `It holds ${images.flatMap(({ tags }) => tags).join(", ") || "images without a name"}, which was not built from the lab's Dockerfiles.`,
      next: "Choose a file that was saved from a client image: docker save --output FILE fedfleet-client:…",
      actions: [{ do: "load-image", label: "Choose another file" }],
    });
  }
  if (suited === undefined) throw new BoardError(wrongArchitecture(clients[0]!.arch, arch));
  const total = await sizeOf(input.file);
  const { labels } = suited;
  const names: string[] = [];
  const load = async (): Promise<string | undefined> =>
    await engine.ask(async (docker) => {
      const source = createReadStream(input.file, { highWaterMark: CHUNK });
      let sent = 0;
      source.on("data", (chunk) => {
        sent += chunk.length;
        // The engine unpacks what it has while the rest is on its way.
        work.onProgress({ lines: [], fraction: (sent / total) * 0.95 });
      });
      source.pause();
      try {
        const stream = await docker.loadImage(source, { quiet: true, abortSignal: signal });
        const failed = await follow(stream as Readable, signal, ({ stream: said = "" }) => {
          const [, name] = /^Loaded image(?: ID)?: (\S+)/.exec(said) ?? [];
          if (name !== undefined) names.push(name);
          work.onProgress({ lines: said.split("\n").filter((line) => line !== ""), fraction: 0.97 });
        });
        if (failed === undefined && names.length === 0) throw cutOff();
        return failed;
      } finally {
        source.destroy();
      }
    });
  try {
    const failed = await load();
    if (failed !== undefined) {
      throw new BoardError(
        isDiskFull(failed)
          ? diskFull(await spaceOf(work), total * 2, failed)
          : dockerFailed(failed, "The image could not be loaded"),
      );
    }
    const name = suited.tags.find((tag) => names.includes(tag)) ?? names[0]!;
    const [repo, version] = [input.tag.slice(0, input.tag.lastIndexOf(":")), input.tag.split(":").at(-1)!];
    await engine.ask((docker) => docker.getImage(name).tag({ repo, tag: version }));
    // Other images in the file, and the name that it had elsewhere, are removed.
    for (const other of names) {
      if (other !== input.tag) await engine.ask((docker) => docker.getImage(other).remove()).catch(() => {});
    }
    if (labels[LABELS.recipe] !== input.digest) {
      work.onProgress({ lines: ["This image was made by another version of the lab."], fraction: 0.99 });
    }
    return await checked(work, input.tag);
  } catch (error) {
    for (const name of work.connection.isClosed ? [] : names) {
      await engine.ask((docker) => docker.getImage(name).remove()).catch(() => {});
    }
    if (signal.aborted) throw cancelled(error);
    throw error;
  }
};
