import { type Pack, pack } from "tar-stream";
import type { SourceFile } from "./recipe-digest.ts";

/** Fixed, so that the engine's cache sees the same files as the same. */
const MTIME = new Date(0);

/** @returns the tar stream that a build is sent; `extraCa` is a PEM text */
export const packContext = (sources: readonly SourceFile[], extraCa: string | undefined): Pack => {
  const stream = pack();
  // An upload that breaks off destroys the stream; without a listener that would end the process.
  stream.on("error", () => {});
  const add = (name: string, content: Buffer | string): void => {
    const entry = stream.entry({ name, mode: 0o644, mtime: MTIME, uid: 0, gid: 0, type: "file" }, content);
    entry?.on("error", () => {});
  };
  const folders = new Set<string>();
  for (const { path, content } of sources) {
    const parts = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/");
      if (folders.has(folder)) continue;
      folders.add(folder);
      const entry = stream.entry({ name: `${folder}/`, mode: 0o755, mtime: MTIME, type: "directory" });
      entry?.on("error", () => {});
    }
    add(path, content);
  }
  if (extraCa !== undefined) add("extra-ca.crt", extraCa);
  stream.finalize();
  return stream;
};
