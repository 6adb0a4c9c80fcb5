import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import {
  chosenFiles,
  compareFiles,
  type Digest,
  digestFile,
  digestOnce,
  MANIFEST,
  type Origin,
  REGISTRATION,
  type Remembered,
  type Verified,
  verifiedAs,
} from "./digest.ts";
import type { KnownDataset } from "./known.ts";
import { openSource } from "./open-source.ts";
import { formatNamed } from "./readers/formats.ts";
import { refusal } from "./refusal.ts";

/** A registered data set: where it is, and the checksums of its files when it was registered. */
export interface Registered extends DatasetLocation {
  /** SHA-256 (hex) per file name; an archive is one file. */
  readonly sha256s: Readonly<Record<string, string>>;
}

/** The state of a data set's files. */
export interface Inspection {
  /** Bytes on disk. */
  readonly bytes: number;
  readonly verified: Verified;
}

/** Compares files with their checksums, and remembers what it has already compared. */
export const createInspector = (deps: {
  /** A file; if it is lost, the data sets are compared again. */
  readonly rememberIn: string;
  readonly resourcesDir: string;
}) => {
  let remembered: Map<string, Remembered> | undefined;

  const recall = async (): Promise<Map<string, Remembered>> => {
    if (remembered) return remembered;
    let entries: [string, Remembered][] = [];
    try {
      const parsed: unknown = JSON.parse(await readFile(deps.rememberIn, "utf8"));
      entries = Object.entries(parsed as Record<string, Remembered>).filter(
        ([, entry]) => typeof entry?.fingerprint === "string" && typeof entry.md5 === "string",
      );
    } catch {
      // not there yet, or damaged: compare everything again
    }
    remembered ??= new Map(entries);
    return remembered;
  };

  let kept: Promise<void> = Promise.resolve();
  /** One after the other: several callers may look at the data sets at once, and the last one knows everything. */
  const keep = (memory: ReadonlyMap<string, Remembered>): Promise<void> => {
    const write = async () => {
      await mkdir(dirname(deps.rememberIn), { recursive: true });
      const temporary = `${deps.rememberIn}.${process.pid}.tmp`;
      await writeFile(temporary, `${JSON.stringify(Object.fromEntries(memory))}\n`);
      await rename(temporary, deps.rememberIn);
    };
    const done = kept.then(write);
    kept = done.catch(() => {});
    return done;
  };

  const compare = async (
    location: DatasetLocation,
    sha256s: Readonly<Record<string, string>>,
    origin: Origin,
  ): Promise<Inspection> => {
    const memory = await recall();
    const before = JSON.stringify([...memory]);
    const { bytes, md5s } = await compareFiles(location.path, sha256s, memory, origin);
    if (JSON.stringify([...memory]) !== before) await keep(memory);
    const format = formatNamed(location.format);
    const digests = new Map([...md5s].map(([name, md5]) => [name, { md5 }]));
    return { bytes, verified: format ? verifiedAs(format, digests) : "structure" };
  };

  return {
    /** Does this file have this MD5? False if there is no such file. */
    async hasMd5(file: string, md5: string): Promise<boolean> {
      if (!(await stat(file).catch(() => undefined))) return false;
      return (await digestFile(file)).md5 === md5;
    },

    /** @throws UserError that names the file which is missing or changed since the registration */
    registered: (entry: Registered): Promise<Inspection> => compare(entry, entry.sha256s, REGISTRATION),

    /** Where a known data set is without being registered: shipped with the lab, or in a system folder. */
    async usualPlace(known: KnownDataset): Promise<DatasetLocation | undefined> {
      const { name, bundled, places } = known;
      const bundle = bundled && {
        format: bundled.format,
        path: join(deps.resourcesDir, "data", bundled.folder),
      };
      for (const place of [...(bundle ? [bundle] : []), ...places]) {
        const info = await stat(place.path).catch(() => undefined);
        if (info?.isDirectory()) return { name, ...place };
      }
      return undefined;
    },

    /**
     * The state of a data set in its usual place, where it must be the original: the bundled one is compared with its
     * manifest, a system package's with the published checksums.
     */
    async usual(place: DatasetLocation, known: KnownDataset): Promise<Inspection> {
      if (known.bundled) {
        const { bytes } = await compare(place, await manifestOf(place.path), MANIFEST);
        return { bytes, verified: "official" };
      }
      const format = formatNamed(place.format)!;
      const names = new Set((await (await openSource(place.path)).list()).map((file) => file.name));
      const digests = new Map<string, Digest>();
      let bytes = 0;
      const memory = await recall();
      const before = JSON.stringify([...memory]);
      for (const file of chosenFiles(format, names)) {
        const digest = await digestOnce(join(place.path, file), memory);
        digests.set(file, digest);
        bytes += digest.size;
        if (verifiedAs(format, new Map([[file, digest]])) === "official") continue;
        throw refusal(
          join(place.path, file),
          `is not the published file (MD5 ${digest.md5}, ${digest.size} bytes)`,
          "Reinstall the package. To use these files as they are, register the folder under another name",
        );
      }
      if (JSON.stringify([...memory]) !== before) await keep(memory);
      return { bytes, verified: verifiedAs(format, digests) };
    },
  };
};

/** SHA-256 (hex) per file, as recorded by the script that made the bundled sample. */
const manifestOf = async (folder: string): Promise<Record<string, string>> => {
  const file = join(folder, "manifest.json");
  try {
    const { files } = JSON.parse(await readFile(file, "utf8")) as {
      files: { name: string; sha256: string }[];
    };
    if (files.length === 0) throw new Error("it lists no files");
    return Object.fromEntries(files.map(({ name, sha256 }) => [name, sha256]));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refusal(file, `cannot be used (${(error as Error).message})`, MANIFEST.next, error);
  }
};
