import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { Worker } from "node:worker_threads";
import ssh2, { type ParsedKey } from "ssh2";
import { BoardError } from "#main/boards/board-ports.ts";
import { openSshKey } from "./openssh-key.ts";

const { parseKey } = ssh2.utils;

const parse = (data: Buffer | string): ParsedKey | Error => {
  const parsed = parseKey(data) as ParsedKey | ParsedKey[] | Error;
  return Array.isArray(parsed) ? (parsed[0] ?? new Error("no key in it")) : parsed;
};

/** Opening a passphrase is slow on purpose: a quarter of a second of computing, done in a worker. */
const DECRYPT = `
const { parentPort, workerData } = require("node:worker_threads");
const { parseKey } = require(workerData.ssh2).utils;
const parsed = parseKey(Buffer.from(workerData.data), workerData.passphrase);
const key = Array.isArray(parsed) ? parsed[0] : parsed;
parentPort.postMessage(
  key instanceof Error
    ? { error: key.message }
    : { pem: key.getPrivatePEM(), publicKey: key.getPublicSSH(), comment: key.comment },
);`;

type Decrypted =
  | { readonly error: string }
  | { readonly pem: string; readonly publicKey: Uint8Array; readonly comment: string };

const decrypt = (data: Buffer, passphrase: string): Promise<Decrypted> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(DECRYPT, {
      eval: true,
      workerData: { ssh2: createRequire(import.meta.url).resolve("ssh2"), data, passphrase },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });

const unreadable = (path: string, cause: string, raw?: string): BoardError =>
  new BoardError({
    code: "key-unreadable",
    title: "The private key cannot be read",
    cause: `${path} ${cause}`,
    next: "Choose another key file, or sign in another way.",
    ...(raw === undefined ? {} : { raw }),
    actions: [{ do: "sign-in", label: "Choose a key" }],
  });

const sign = { do: "sign-in", label: "Enter the passphrase" } as const;

/** @throws BoardError "key-unreadable", "secret-missing" (a passphrase is needed), "passphrase-wrong" */
export const readKeyFile = async (given: string, passphrase: string | undefined): Promise<ParsedKey> => {
  const path = given.replace(/^~(?=\/)/, homedir());
  let data: Buffer;
  try {
    data = await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw unreadable(path, "is not there.", message);
    if (code === "EACCES" || code === "EPERM")
      throw unreadable(path, "cannot be read by this user.", message);
    throw unreadable(path, "is not a file that can be read.", message);
  }
  const plain = parse(data);
  if (!(plain instanceof Error)) {
    if (plain.isPrivateKey()) return plain;
    throw unreadable(path, `is the public half of a key. The private one is ${path.replace(/\.pub$/, "")}.`);
  }
  if (!/passphrase|encrypted/i.test(plain.message)) {
    throw unreadable(path, "holds no private key that the lab can read.", plain.message);
  }
  if (passphrase === undefined || passphrase === "") {
    throw new BoardError({
      code: "secret-missing",
      title: "The private key needs its passphrase",
      cause: `${path} is protected by a passphrase that the lab does not know.`,
      next: "Enter the passphrase, or add the key to the agent.",
      actions: [sign],
    });
  }
  const decrypted = await decrypt(data, passphrase);
  if ("error" in decrypted) {
    throw new BoardError({
      code: "passphrase-wrong",
      title: "The passphrase is wrong",
      cause: `It does not open ${path}.`,
      next: "Type it again.",
      raw: decrypted.error,
      actions: [sign],
    });
  }
  const key = parse(openSshKey(decrypted.pem, Buffer.from(decrypted.publicKey), decrypted.comment));
  if (key instanceof Error) throw unreadable(path, "holds a key of a kind that cannot be used.", key.message);
  return key;
};

/** The key at `path` where it needs no passphrase; else undefined. */
export const readIfOpen = async (path: string): Promise<ParsedKey | undefined> => {
  try {
    return await readKeyFile(path, undefined);
  } catch (error) {
    if (error instanceof BoardError) return undefined;
    throw error;
  }
};
