/**
 * The files of the built page, for the browser and for the window. Why our own and not sirv (tried, 3.0.2): it answers
 * only Node's http requests, and the window's come through Electron's protocol handler; it follows a link out of the
 * folder (and with `dev` serves dot files); without `dev` it lists the folder once, so a page that was built again
 * comes with the length of the old one; and it compresses nothing by itself.
 */
import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

export type Encoding = "br" | "gzip" | "identity";

export interface StaticFile {
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
  /** The bytes in the best encoding that the browser accepts. */
  body(accepts: string | undefined): Promise<{ readonly encoding: Encoding; readonly bytes: Buffer }>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
};

/** The build puts a hash of the content into names such as assets/index-BxK2_9aQ.js: under one name it never changes. */
const HASHED = /^\/assets\/.+-[\w-]{8,}\.\w+$/;

const compressed = {
  br: (bytes: Buffer) =>
    // Quality 11 takes a second for the page's scripts; 5 takes 30 ms and is a few per cent larger.
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (bytes: Buffer) => promisify(gzip)(bytes),
} as const;

/**
 * The files in one folder, by the path of a URL. Nothing outside is ever read: not through dots, encoded or not, and
 * not through a link that leads out. A file that was read and compressed is cached until it changes.
 */
export const createStaticFiles = (folder: string) => {
  const kept = new Map<string, { readonly changed: string; readonly file: StaticFile }>();

  const open = async (path: string, file: string): Promise<StaticFile> => {
    const bytes = await readFile(file);
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    const isText = /^text\/|json|svg|wasm/.test(type) && bytes.length > 1024;
    const encoded = new Map<Encoding, Promise<Buffer>>();
    return {
      type,
      etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
      cacheControl: HASHED.test(path)
        ? "private, max-age=31536000, immutable"
        : type.startsWith("text/html")
          ? "no-store"
          : "no-cache",
      async body(accepts) {
        const encoding = isText ? encodingFor(accepts) : "identity";
        if (encoding === "identity") return { encoding, bytes };
        const ready = encoded.get(encoding) ?? compressed[encoding](bytes);
        encoded.set(encoding, ready);
        return { encoding, bytes: await ready };
      },
    };
  };

  return {
    /** @returns undefined where there is no such file, or it must not be read. */
    async find(urlPath: string): Promise<StaticFile | undefined> {
      const path = plainPath(urlPath);
      if (path === undefined) return undefined;
      try {
        const root = await realpath(folder);
        const file = await realpath(join(root, path));
        if (!file.startsWith(root + sep)) return undefined;
        const found = await stat(file);
        if (!found.isFile()) return undefined;
        const changed = `${found.mtimeMs} ${found.size}`;
        const known = kept.get(path);
        if (known?.changed === changed) return known.file;
        const opened = await open(path, file);
        kept.set(path, { changed, file: opened });
        return opened;
      } catch (error) {
        if (isNoSuchFile(error)) return undefined;
        throw error;
      }
    },
  };
};

/** A URL's path as a path below the folder; undefined for one that is not spelled plainly. */
const plainPath = (urlPath: string): string | undefined => {
  let path: string;
  try {
    path = decodeURIComponent(urlPath);
  } catch {
    return undefined;
  }
  if (path === "/") return "/index.html";
  const [first, ...parts] = path.split("/");
  const plain = first === "" && parts.every((part) => part !== "" && !part.startsWith("."));
  // A NUL ends a path for the system, a backslash and a colon mean something on Windows.
  return plain && !/[\0\\:]/.test(path) ? path : undefined;
};

const encodingFor = (accepts = ""): Encoding => {
  const taken = accepts
    .toLowerCase()
    .split(",")
    .map((word) => word.trim())
    .filter((word) => !/;\s*q=0(\.0*)?$/.test(word))
    .map((word) => word.split(";")[0]);
  if (taken.includes("br")) return "br";
  return taken.includes("gzip") ? "gzip" : "identity";
};

const isNoSuchFile = (error: unknown): boolean =>
  ["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "");
