import { chmodSync, readFileSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { SecretsView } from "#contract/boards.ts";
import { writePrivately } from "./ssh/private-file.ts";

export interface SecretsOptions {
  readonly path: string;
  /** The computer's safe storage, where it has one. */
  readonly cipher?: { encrypt(text: string): Promise<string>; decrypt(text: string): Promise<string> };
  /** Why there is none. */
  readonly note?: string;
}

export type Secrets = ReturnType<typeof openSecrets>;

/** A stored value: encrypted by safe storage, or readable to all who can read the file. */
type Resting = { readonly cipher: string } | { readonly plain: string };

interface SecretsFile {
  readonly version: 1;
  /** A person chose to keep readable values in it. */
  readonly plain: boolean;
  readonly values: Readonly<Record<string, Resting>>;
}

const isResting = (value: unknown): value is Resting =>
  typeof value === "object" &&
  value !== null &&
  (typeof (value as { cipher?: unknown }).cipher === "string" ||
    typeof (value as { plain?: unknown }).plain === "string");

const readFile = (path: string): SecretsFile => {
  const empty: SecretsFile = { version: 1, plain: false, values: {} };
  let text: string;
  try {
    text = readFileSync(path, "utf8");
    // It may have been copied here with other permissions: only the user may read it.
    chmodSync(path, 0o600);
  } catch {
    return empty;
  }
  try {
    const { plain, values } = JSON.parse(text) as Partial<SecretsFile>;
    const entries = Object.entries(values ?? {}).filter(([, value]) => isResting(value));
    return { version: 1, plain: plain === true, values: Object.fromEntries(entries) };
  } catch {
    // Damaged: it is put aside for a look, and its secrets are asked for again.
    try {
      renameSync(path, `${path}.damaged`);
    } catch {
      // the next write replaces it
    }
    return empty;
  }
};

/**
 * Secrets for signing in: encrypted in a file where the computer has safe storage; else in memory for this session
 * or, if a person chooses so, readable in a file of mode 0600. A value that cannot be decrypted counts as missing.
 */
export const openSecrets = ({ path, cipher, note: noCipher }: SecretsOptions) => {
  let loaded: { values: Map<string, Resting>; plain: boolean } | undefined;
  /** Values of this session, decrypted once. */
  const memory = new Map<string, string>();
  let trouble: string | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const file = () => {
    if (loaded === undefined) {
      const { values, plain } = readFile(path);
      loaded = { values: new Map(Object.entries(values)), plain: plain && cipher === undefined };
    }
    return loaded;
  };
  /** Safe storage became available after a readable file was chosen: nothing stays readable. */
  const encryptReadable = async (): Promise<void> => {
    if (cipher === undefined) return;
    const readable = [...file().values].flatMap(([name, value]) =>
      "plain" in value ? [{ name, ...value }] : [],
    );
    for (const { name, plain } of readable) {
      memory.set(name, plain);
      await put(name, plain);
    }
    if (readable.length > 0) await write();
  };
  /** One at a time: each sees what the previous one wrote. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(encryptReadable).then(work);
    last = next.catch(() => {});
    return next;
  };
  const write = async (): Promise<void> => {
    const { values, plain } = file();
    if (values.size === 0 && !plain) {
      await rm(path, { force: true });
      return;
    }
    const text: SecretsFile = { version: 1, plain, values: Object.fromEntries(values) };
    await writePrivately(path, `${JSON.stringify(text, null, 2)}\n`);
  };
  /** How a value is stored now; undefined: in memory only. */
  const rest = async (value: string): Promise<Resting | undefined> => {
    if (cipher === undefined) return file().plain ? { plain: value } : undefined;
    try {
      const resting = { cipher: await cipher.encrypt(value) };
      trouble = undefined;
      return resting;
    } catch (error) {
      trouble = `Safe storage refused a secret (${error instanceof Error ? error.message : String(error)}). The lab keeps it in memory until it is closed.`;
      return undefined;
    }
  };
  const view = (): SecretsView => {
    const note = trouble ?? (cipher === undefined ? noCipher : undefined);
    return {
      kept: cipher !== undefined ? "safe-storage" : file().plain ? "file" : "memory",
      canUseFile: cipher === undefined,
      path,
      ...(note === undefined ? {} : { note }),
    };
  };
  const put = async (name: string, value: string): Promise<boolean> => {
    const { values } = file();
    const before = values.get(name);
    const resting = await rest(value);
    if (resting !== undefined) values.set(name, resting);
    // What is stored is older than what is known now.
    else values.delete(name);
    return resting !== undefined || before !== undefined;
  };

  return {
    view,
    keepInFile: (keep: boolean): Promise<SecretsView> =>
      inTurn(async () => {
        if (cipher !== undefined) return view();
        const state = file();
        for (const [name, value] of state.values) {
          if ("plain" in value && !memory.has(name)) memory.set(name, value.plain);
          if ("plain" in value && !keep) state.values.delete(name);
        }
        state.plain = keep;
        if (keep) for (const [name, value] of memory) state.values.set(name, { plain: value });
        await write();
        return view();
      }),
    get: (name: string): Promise<string | undefined> =>
      inTurn(async () => {
        const known = memory.get(name);
        if (known !== undefined) return known;
        const resting = file().values.get(name);
        if (resting === undefined) return undefined;
        if ("plain" in resting) return resting.plain;
        if (cipher === undefined) return undefined;
        try {
          const value = await cipher.decrypt(resting.cipher);
          memory.set(name, value);
          return value;
        } catch {
          return undefined; // it was encrypted with another key ring
        }
      }),
    set: (name: string, value: string): Promise<void> =>
      inTurn(async () => {
        memory.set(name, value);
        if (await put(name, value)) await write();
      }),
    delete: (name: string): Promise<void> =>
      inTurn(async () => {
        memory.delete(name);
        if (file().values.delete(name)) await write();
      }),
  };
};
