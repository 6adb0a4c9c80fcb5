import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { ImageRecipe } from "#contract/boards.ts";

/** One file that a client image is built from. */
export interface SourceFile {
  /** Below device-scripts, with slashes. */
  readonly path: string;
  readonly content: Buffer;
}

const isSource = (path: string): boolean => !path.includes("__pycache__/") && !path.endsWith(".pyc");

/** Byte by byte, whatever the computer's language. */
const byPath = (a: SourceFile, b: SourceFile): number =>
  Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));

/** What the image of a recipe is built from, sorted; a few hundred kilobytes. */
export const readSources = (deviceScripts: string, dockerfile: ImageRecipe["dockerfile"]): SourceFile[] => {
  const client = readdirSync(join(deviceScripts, "fedfleet_client"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(deviceScripts, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
  const constraints = readdirSync(deviceScripts).filter((name) => /^constraints.*\.txt$/.test(name));
  return [dockerfile, ...constraints, ...client]
    .filter(isSource)
    .map((path) => ({ path, content: readFileSync(join(deviceScripts, path)) }))
    .sort(byPath);
};

const sha256 = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");

/**
 * Names what an image is built from, so that the same image is never built twice and an older one is never taken for
 * the present one. A proxy's certificate is not part of it: it changes the download, not the client.
 * test/setup/images.sh computes the same with sha256sum.
 */
export const recipeDigest = (
  recipe: Pick<ImageRecipe, "dockerfile" | "base" | "flwr">,
  sources: readonly SourceFile[],
): string =>
  sha256(
    [
      recipe.dockerfile,
      recipe.base,
      recipe.flwr,
      ...sources.map(({ path, content }) => `${sha256(content)}  ${path}`),
      "",
    ].join("\n"),
  );

/** "fedfleet-client:pi-0123456789ab" */
export const imageTag = (recipe: Pick<ImageRecipe, "dockerfile">, digest: string): string =>
  `fedfleet-client:${recipe.dockerfile.replace("Dockerfile.", "")}-${digest.slice(0, 12)}`;
