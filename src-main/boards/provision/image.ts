import { readFileSync } from "node:fs";
import type { BoardFacts, ImageRecipe } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { BoardError } from "#main/boards/board-ports.ts";
import { buildImage, findImage, loadImage, removeImage } from "#main/boards/docker/client-image.ts";
import { sizeText, spaceAt } from "#main/boards/docker/disk.ts";
import { createEngine } from "#main/boards/docker/engine.ts";
import { diskFull } from "#main/boards/docker/engine-problems.ts";
import { imageTag, readSources, recipeDigest, type SourceFile } from "#main/boards/docker/recipe-digest.ts";
import type { Step } from "./step.ts";

export interface ClientImage {
  readonly tag: string;
  readonly digest: string;
  readonly sources: readonly SourceFile[];
  readonly recipe: ImageRecipe;
}

/**
 * What a board's image is built from; read and digested once for all boards of a kind, since the files do not change
 * while the lab runs, and every row of the fleet's table asks for its tag.
 */
export const createImages = (deviceScripts: string) => {
  const made = new Map<string, Omit<ClientImage, "recipe">>();
  return (facts: BoardFacts): ClientImage | undefined => {
    const { recipe } = facts;
    if (recipe === undefined) return undefined;
    const kind = JSON.stringify([recipe.dockerfile, recipe.base, recipe.flwr]);
    let image = made.get(kind);
    if (image === undefined) {
      const sources = readSources(deviceScripts, recipe.dockerfile);
      const digest = recipeDigest(recipe, sources);
      image = { tag: imageTag(recipe, digest), digest, sources };
      made.set(kind, image);
    }
    return { ...image, recipe };
  };
};

/** What a build takes from the lab's own environment. */
const PASSED_ON = [
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "PIP_INDEX_URL",
  "PIP_TRUSTED_HOST",
];

const buildArguments = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = environment[name];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );

const readCertificate = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(
      `The certificate ${path} (FEDFLEET_EXTRA_CA) cannot be read: ${(error as Error).message}.`,
      { cause: error },
    );
  }
};

const noRecipe = (facts: BoardFacts): BoardError =>
  new BoardError({
    code: "unsupported-board",
    title: "There is no client for this board",
    cause: facts.unsupported ?? "The lab has no client image for it.",
    next: "Use another board, or run a Flower client of your own on it.",
  });

export const imageStep = (
  imageOf: (facts: BoardFacts) => ClientImage | undefined,
  options: { readonly extraCa?: string | undefined },
): Step => ({
  id: "image",
  title: "Build the client image",
  async look(board) {
    const facts = board.facts();
    const image = imageOf(facts);
    if (image === undefined) {
      return {
        state: "blocked",
        text: facts.unsupported ?? "The lab knows no image for this board.",
        commands: [],
        needsSudo: false,
        canUndo: false,
      };
    }
    const { dockerfile, base, flwr, diskBytes } = image.recipe;
    const rest = {
      commands: [
        `docker build --network host --file ${dockerfile} --build-arg BASE=${base} --build-arg FLWR=${flwr} --tag ${image.tag} device-scripts`,
      ],
      needsSudo: false,
      canUndo: false,
    };
    if (facts.docker.state !== "ready")
      return { ...rest, state: "blocked", text: "Docker must be usable first." };
    const engine = createEngine(await board.connection(), facts.docker.socket);
    const found = await findImage(engine, image.tag);
    if (found !== undefined && found.arch === facts.arch) {
      return {
        ...rest,
        state: "done",
        text: `${image.tag} is on the board (${sizeText(found.bytes)}).`,
        canUndo: true,
      };
    }
    return {
      ...rest,
      state: "open",
      text: `Built on the board from ${base}, with PyTorch and flwr ${flwr}; takes some minutes and ${sizeText(diskBytes)}. Without internet there, load a saved image instead.`,
    };
  },
  async run({ board, connection, engine, signal, imageFile, say, progress }) {
    const facts = board.facts();
    const image = imageOf(facts);
    if (image === undefined) throw noRecipe(facts);
    const { tag, digest, recipe, sources } = image;
    const work = {
      connection,
      engine: engine(),
      arch: facts.arch,
      ...(facts.docker.root === undefined ? {} : { root: facts.docker.root }),
      signal,
      onProgress({ lines, fraction }: { readonly lines: readonly string[]; readonly fraction: number }) {
        say(...lines);
        progress(fraction);
      },
    };
    if (imageFile !== undefined) {
      say(`loading ${imageFile}`);
      await loadImage(work, { file: imageFile, tag, digest });
      return;
    }
    const there = await findImage(work.engine, tag);
    if (there?.arch === facts.arch) return;
    const space = await spaceAt(connection, facts.docker.root ?? facts.disk.path);
    if (space !== undefined && space.freeBytes < recipe.diskBytes) {
      throw new BoardError(diskFull(space, recipe.diskBytes));
    }
    await buildImage(work, {
      recipe,
      sources,
      digest,
      tag,
      ...(options.extraCa === undefined ? {} : { extraCa: readCertificate(options.extraCa) }),
      buildArgs: buildArguments(process.env),
      network: "host",
    });
  },
  async undo({ board, engine, say }) {
    const image = imageOf(board.facts());
    if (image !== undefined && (await removeImage(engine(), image.tag))) say(`removed ${image.tag}`);
  },
});
