/**
 * Data sets: which ones there are, where they are, and their images in memory.
 *
 * How to add a data set
 * 1. A reader: readers/<name>.ts exports a `Format` (readers/format.ts). `members` lists the files it needs and
 *    their published checksums; `read` asks the source for them with size limits, checks magic numbers, counts,
 *    label ranges and class balance, and refuses with `refusal(file, expected and found, what to do)`. It gives
 *    images as uint8 (N, height, width, 1 or 3) and the normalisation, with the source of its figures.
 * 2. A line in readers/formats.ts: then a folder or an archive of it is recognised and can be registered.
 * 3. An entry in known.ts: title, terms, where a copy may already be, where to download it and with which MD5.
 * 4. A test in test/main/datasets that writes the files byte by byte, damages each, and compares the images with
 *    what numpy makes of the same bytes.
 */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import type { Dataset, DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import type { Verified } from "./digest.ts";
import { type DownloadOptions, downloadFile } from "./download.ts";
import { type Examination, examine as examineHere } from "./examine.ts";
import { createInspector, type Registered } from "./inspect.ts";
import { KNOWN, type KnownDataset } from "./known.ts";
import { openSource } from "./open-source.ts";
import { FORMATS, formatNamed } from "./readers/formats.ts";

/**
 * Reads a data set into memory and checks it: sizes, counts, magic numbers, label ranges, class balance.
 *
 * @returns images as uint8 (N, height, width, channels), row-major; greyscale images have one channel
 * @throws UserError that names the file, what was expected, what was found and what to do
 */
export const loadDataset = async (location: DatasetLocation): Promise<Dataset> => {
  const format = formatNamed(location.format);
  if (!format) {
    const known = FORMATS.map((f) => f.name).join(", ");
    throw new UserError(
      `dataset: ${location.name}: the format ${JSON.stringify(location.format)} is unknown to this version (known: ${known}). Register the data set again.`,
    );
  }
  return { name: location.name, ...(await format.read(await openSource(location.path))) };
};

/** SHA-256 (hex) over images and labels: equal for the same data, whatever form it had on disk. */
export const datasetSha256 = ({ train, test }: Pick<Dataset, "train" | "test">): string => {
  const hash = createHash("sha256").update(train.pixels).update(train.labels);
  if (test.kind === "labelled") hash.update(test.images.pixels).update(test.images.labels);
  else {
    for (const set of [test.query, test.gallery]) {
      hash.update(set.pixels).update(set.identities).update(set.cameras);
    }
  }
  return hash.digest("hex");
};

export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  readonly state: "ready" | "missing" | "damaged";
  /** The folder or archive. */
  readonly where?: string;
  readonly format?: string;
  /** Size of its files on disk. */
  readonly bytes?: number;
  /** "official": has the publisher's checksums. "structure": well formed, but not known to be the original. */
  readonly verified?: Verified;
  /** What is wrong, where it is damaged: a sentence that names the file. */
  readonly problem?: string;
  /** Size of the download. */
  readonly downloadBytes?: number;
  /** The next step, where it is not ready. */
  readonly next?: string;
  /** Licence or terms of use. */
  readonly terms: string;
}

/** Where registered data sets are kept; the store implements it. */
export interface Registry {
  list(): readonly Registered[];
  /** Replaces the entry with the same name. */
  save(entry: Registered): void;
  remove(name: string): unknown;
}

export interface Catalogue {
  /** The known ones, then the other registered ones by name. A damaged one is listed with its problem. */
  list(): Promise<readonly CatalogueEntry[]>;
  /** One entry of the list; undefined if the name is unknown. */
  look(name: string): Promise<CatalogueEntry | undefined>;
  /** @throws UserError if the name is unknown, or its files are missing, damaged or changed; it says what to do */
  find(name: string): Promise<DatasetLocation>;
  /**
   * Registers a folder or an archive after reading all of it. Without a name it gets its data set's own.
   *
   * @throws UserError if it is no known data set, incomplete, damaged, or the name cannot be used
   */
  register(entry: { readonly name?: string | undefined; readonly path: string }): Promise<CatalogueEntry>;
  /**
   * Downloads, verifies and registers a known data set. After a stop, the next call continues where it was.
   *
   * @throws UserError if no server has the right files, or if it was stopped
   */
  download(name: string, options?: DownloadCommand): Promise<CatalogueEntry>;
}

export interface DownloadCommand {
  /** Bytes on disk and bytes in total, over all files. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CatalogueDeps {
  /** The folder that holds `data/`, shipped with the lab. */
  readonly resourcesDir: string;
  /** Its folder `datasets/` gets the downloads and the memory of checked files. */
  readonly dataDir: string;
  readonly registry: Registry;
  /** @default the data sets that the lab knows */
  readonly known?: readonly KnownDataset[];
  /** Folders on the web that are tried before the usual ones: a lab's own mirror. */
  readonly mirrors?: readonly string[];
  /** Reads what is being registered. @default in this process, which it blocks for seconds */
  readonly examine?: (what: Examination) => Promise<Registered>;
  /** How long downloads keep trying. */
  readonly patience?: Pick<DownloadOptions, "attempts" | "retryMs" | "stallMs">;
}

const COMMAND = "npm run -s fedfleet -- dataset";
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
/** Has a special meaning in a study file. */
const RESERVED: readonly string[] = ["on-clients"];

/** @throws UserError if a data set cannot have this name */
const checkName = (name: string): void => {
  const shown = JSON.stringify(name);
  if (RESERVED.includes(name)) {
    throw new UserError(
      `dataset: the name ${shown} cannot be used because it has a special meaning in study files. Choose another name.`,
    );
  }
  if (!NAME.test(name)) {
    throw new UserError(
      `dataset: the name ${shown} cannot be used. Use up to 64 letters, digits, dots, dashes or underscores; the first must be a letter or a digit.`,
    );
  }
};

const nextStep = ({ name, download, bundled }: KnownDataset): string => {
  if (bundled) return "restore the lab's resources folder, or reinstall the lab";
  return download
    ? `${COMMAND} download ${name} (or, if you have a copy: ${COMMAND} add ${name} PATH)`
    : `${COMMAND} add ${name} PATH`;
};

const downloadBytes = ({ download }: KnownDataset): { downloadBytes?: number } =>
  download ? { downloadBytes: download.parcels.reduce((sum, { bytes }) => sum + bytes, 0) } : {};

export const createCatalogue = (deps: CatalogueDeps): Catalogue => {
  const { registry, known = KNOWN, mirrors = [], patience = {}, examine = examineHere } = deps;
  const home = resolve(deps.dataDir, "datasets");
  const inspector = createInspector({
    rememberIn: join(home, "checked.json"),
    resourcesDir: deps.resourcesDir,
  });

  const registered = (name: string) => registry.list().find((entry) => entry.name === name);
  const knownAs = (name: string) => known.find((entry) => entry.name === name);
  /** The known data set that has this format. */
  const kin = (format: string) => known.find((entry) => entry.formats.includes(format));

  const entryOf = async (name: string): Promise<CatalogueEntry> => {
    const mine = registered(name);
    const about = knownAs(name) ?? kin(mine?.format ?? "");
    const base = {
      name,
      title: about?.title ?? mine?.format ?? name,
      terms: about?.terms ?? "as its source says",
      ...(about && about.name === name ? downloadBytes(about) : {}),
    };
    // a copy that a person registered goes before one in a usual place
    const place = mine ?? (about && (await inspector.usualPlace(about)));
    if (!place) return { ...base, state: "missing", ...(about ? { next: nextStep(about) } : {}) };
    const at = { where: place.path, format: place.format };
    try {
      const { bytes, verified } = mine
        ? await inspector.registered(mine)
        : await inspector.usual(place, about as KnownDataset);
      return { ...base, ...at, state: "ready", bytes, verified };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const next =
        about?.name === name
          ? nextStep(about)
          : `${COMMAND} add ${name} PATH (registers it again), or ${COMMAND} remove ${name}`;
      return { ...base, ...at, state: "damaged", problem: error.message, next };
    }
  };

  const names = () => [
    ...known.map(({ name }) => name),
    ...registry
      .list()
      .map(({ name }) => name)
      .filter((name) => !knownAs(name))
      .sort(),
  ];

  const register: Catalogue["register"] = async ({ name: wanted, path }) => {
    if (wanted !== undefined) checkName(wanted);
    const {
      name,
      sha256s,
      format,
      path: place,
    } = await examine({ path: resolve(path), name: wanted, known });
    registry.save({ name, format, path: place, sha256s });
    return entryOf(name);
  };

  return {
    async list() {
      const entries: CatalogueEntry[] = [];
      for (const name of names()) entries.push(await entryOf(name));
      return entries;
    },

    look: async (name) => (names().includes(name) ? entryOf(name) : undefined),

    async find(name) {
      if (!names().includes(name)) {
        throw new UserError(
          `dataset: ${JSON.stringify(name)} is unknown (known: ${names().join(", ")}). Register a folder or an archive: ${COMMAND} add NAME PATH`,
        );
      }
      const entry = await entryOf(name);
      // the bundled sample is put back with the lab, as its problem says already
      const commands = knownAs(name)?.bundled ? "" : ` (${entry.next})`;
      if (entry.state === "damaged") throw new UserError(`${entry.problem}${commands}`);
      if (!entry.where || !entry.format) {
        throw new UserError(`dataset: ${name} is not on this computer. Get it: ${entry.next}`);
      }
      return { name, format: entry.format, path: entry.where };
    },

    register,

    async download(name, { onProgress, signal } = {}) {
      const plan = knownAs(name)?.download;
      if (!plan) {
        const some = known.filter((entry) => entry.download).map((entry) => entry.name);
        throw new UserError(`dataset: ${name} cannot be downloaded. These can: ${some.join(", ")}.`);
      }
      const folder = join(home, name);
      const total = plan.parcels.reduce((sum, { bytes }) => sum + bytes, 0);
      let before = 0;
      for (const { file, bytes, md5 } of plan.parcels) {
        const target = join(folder, file);
        if (!(await inspector.hasMd5(target, md5))) {
          await downloadFile({
            ...patience,
            urls: [...mirrors, ...plan.bases].map((base) => new URL(file, base.replace(/\/*$/, "/")).href),
            target,
            md5,
            bytes,
            signal,
            onProgress: (progress) => onProgress?.(Math.min(before + progress.bytes, total), total),
          });
        }
        before += bytes;
        onProgress?.(before, total);
      }
      const [only, ...others] = plan.parcels;
      return register({ name, path: only && others.length === 0 ? join(folder, only.file) : folder });
    },
  };
};
