import { createHash } from "node:crypto";
import {
  BOARD_FOLDERS,
  type BoardError,
  type PartFiles,
  type SshConnection,
} from "#main/boards/board-ports.ts";
import { cancelled, connectionLost, damaged, diskFull, folderMissing, notWritable } from "./data-problems.ts";
import { runScript } from "./remote-script.ts";
import { RefusedWrite, upload } from "./upload.ts";
import { whenClosed } from "./when-closed.ts";

export interface SendOptions {
  /** Bytes of the part that are on the board, and all of them. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal: AbortSignal;
  /**
   * Files of this board whose content was checked; what is checked now is added. Files that are on the board but not
   * in it are read there once before they are trusted.
   */
  readonly checked?: Set<string>;
}

type PartFile = PartFiles["files"][number];

/** This much stays free, for the client's own state and for the system. */
const ROOM_BYTES = 16 << 20;
const HASH = /^[0-9a-f]{64}$/;
const { data: DATA, parts: PARTS } = BOARD_FOLDERS;

/** @throws Error for an id that cannot be a file name: ids come from the lab itself */
export const checkId = (study: string): string => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(study)) throw new Error(`${study} is not the id of a study`);
  return study;
};

/** Creates the folders, and reports which files are there and how much more fits. */
const lookAround = async (connection: SshConnection, files: readonly PartFile[], signal: AbortSignal) => {
  const { said, code, stderr } = await runScript(
    connection,
    `mkdir -p ${Object.values(BOARD_FOLDERS).join(" ")} && chmod 700 ${Object.values(BOARD_FOLDERS).join(" ")} || exit 91
df -Pk ${DATA} | { read -r _; read -r _ _ _ free _; say free "$free"; }
cd ${DATA} || exit 91
for name in $NAMES; do
  for kind in npy part; do
    [ -f "$name.$kind" ] && say "$kind" "$name" "$(stat -c %s "$name.$kind")"
  done
done
exit 0`,
    { NAMES: files.map(({ sha256 }) => sha256).join(" ") },
    { signal },
  );
  if (code !== 0) {
    const raw = stderr.trim();
    throw /no space left/i.test(raw) ? diskFull(totalOf(files), 0, raw) : notWritable(raw);
  }
  const sizes = (kind: string): Map<string, number> =>
    new Map(said.flatMap(([word, name = "", size]) => (word === kind ? [[name, Number(size)]] : [])));
  const free = said.find(([word]) => word === "free")?.[1];
  return {
    whole: sizes("npy"),
    begun: sizes("part"),
    freeBytes: free === undefined || !/^\d+$/.test(free) ? undefined : Number(free) * 1024,
  };
};

const totalOf = (files: readonly PartFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** The SHA-256 of files on the board, by their names in its data folder; undefined where it cannot compute any. */
const digestsThere = async (
  connection: SshConnection,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string> | undefined> => {
  const { said, code } = await runScript(
    connection,
    `cd ${DATA} || exit 91
if command -v sha256sum >/dev/null; then digest() { sha256sum "$1"; }
elif command -v shasum >/dev/null; then digest() { shasum -a 256 "$1"; }
elif command -v openssl >/dev/null; then digest() { openssl dgst -sha256 -r "$1"; }
else exit 97
fi
for name in $NAMES; do
  line=$(digest "$name") && say "$name" "\${line%% *}"
done
exit 0`,
    { NAMES: names.join(" ") },
    { signal, timeoutMs: Number.POSITIVE_INFINITY },
  );
  if (code === 97) return undefined;
  return new Map(said.map(([name = "", digest = ""]) => [name, digest]));
};

/** Reads a file back: for boards that have no program to digest it. */
const readBack = async (connection: SshConnection, path: string, signal: AbortSignal): Promise<string> => {
  const sftp = await connection.sftp();
  const hash = createHash("sha256");
  const stream = sftp.createReadStream(path, { autoClose: true });
  const stop = (): void => void stream.destroy(cancelled());
  signal.addEventListener("abort", stop, { once: true });
  const forget = whenClosed(connection, () => stream.destroy(connectionLost()));
  try {
    for await (const chunk of stream) hash.update(chunk as Buffer);
  } finally {
    signal.removeEventListener("abort", stop);
    forget();
  }
  return hash.digest("hex");
};

const digestOf = async (connection: SshConnection, name: string, signal: AbortSignal): Promise<string> => {
  const digests = await digestsThere(connection, [name], signal);
  if (digests !== undefined) return digests.get(name) ?? "";
  return await readBack(connection, `${DATA}/${name}`, signal);
};

/** Checks files that have the right size but unknown content, and deletes the damaged ones. */
const checkWhole = async (
  connection: SshConnection,
  files: readonly PartFile[],
  checked: Set<string>,
  signal: AbortSignal,
): Promise<void> => {
  const unsure = files.filter(({ sha256 }) => !checked.has(sha256));
  if (unsure.length === 0) return;
  const names = unsure.map(({ sha256 }) => `${sha256}.npy`);
  const digests = await digestsThere(connection, names, signal);
  for (const { sha256 } of unsure) {
    const name = `${sha256}.npy`;
    const found = digests?.get(name) ?? (await digestOf(connection, name, signal));
    if (found === sha256) checked.add(sha256);
    else await runScript(connection, `rm -f ${DATA}/${name}`, {}, { signal });
  }
};

/** Why the board refused a write; deletes the incomplete file. */
const refusal = async (
  connection: SshConnection,
  name: string,
  missing: number,
  error: RefusedWrite,
): Promise<BoardError> => {
  const { said, stderr } = await runScript(
    connection,
    `cd ${DATA} || exit 91
df -Pk . | { read -r _; read -r _ _ _ free _; say free "$free"; }
head -c 65536 /dev/zero >".try-$$"
rm -f ".try-$$" "$NAME"`,
    { NAME: name },
  );
  const free = Number(said.find(([word]) => word === "free")?.[1] ?? 0) * 1024;
  const raw = [error.message, stderr.trim()].filter(Boolean).join("\n");
  const other = /quota|read-only|permission denied/i.test(stderr);
  return !other && (free < missing || /no space left/i.test(stderr))
    ? diskFull(missing, free, raw)
    : notWritable(raw);
};

/**
 * Sends a device's part of a study's data to its board: only what is missing, each file under the name of its
 * content and only once that is checked. What was cut short continues where it was, at the next call.
 *
 * @throws BoardError "disk-full", "data-damaged", "connection-lost", "cancelled"
 */
export const sendPart = async (
  connection: SshConnection,
  study: string,
  part: PartFiles,
  options: SendOptions,
): Promise<void> => {
  const { signal, onProgress = () => {}, checked = new Set<string>() } = options;
  checkId(study);
  const wrong = part.files.find(({ sha256 }) => !HASH.test(sha256));
  if (wrong !== undefined) throw new Error(`${wrong.sha256} is not a SHA-256`);
  const total = totalOf(part.files);
  const before = await lookAround(connection, part.files, signal);
  // Named first: a clean-up meanwhile keeps the files that a part names, also those still being sent.
  await writeText(connection, `${PARTS}/${study}.json.new`, part.json, signal);
  await checkWhole(
    connection,
    part.files.filter(({ sha256, bytes }) => before.whole.get(sha256) === bytes),
    checked,
    signal,
  );

  const missing = part.files.filter(({ sha256, bytes }) => {
    return !checked.has(sha256) || before.whole.get(sha256) !== bytes;
  });
  let done = total - totalOf(missing);
  const begunAt = ({ sha256, bytes }: PartFile): number => {
    const size = before.begun.get(sha256) ?? 0;
    return size <= bytes ? size : 0;
  };
  const toSend = missing.reduce((sum, file) => sum + file.bytes - begunAt(file), 0);
  if (before.freeBytes !== undefined && toSend > 0 && before.freeBytes < toSend + ROOM_BYTES) {
    throw diskFull(toSend + ROOM_BYTES, before.freeBytes);
  }
  onProgress(done, total);

  const sendFile = async (file: PartFile, offset: number): Promise<boolean> => {
    const name = `${file.sha256}.part`;
    let sent = offset;
    onProgress(done + sent, total);
    try {
      await upload(connection, {
        from: file.path,
        to: `${DATA}/${name}`,
        offset,
        signal,
        onBytes: (bytes) => {
          sent += bytes;
          onProgress(done + sent, total);
        },
      });
    } catch (error) {
      if (error instanceof RefusedWrite) throw await refusal(connection, name, file.bytes - sent, error);
      throw error;
    }
    const right = (await digestOf(connection, name, signal)) === file.sha256;
    const { code, stderr } = await runScript(
      connection,
      right ? `cd ${DATA} && mv -f "$NAME" "$TO"` : `rm -f ${DATA}/"$NAME"`,
      { NAME: name, TO: `${file.sha256}.npy` },
      { signal },
    );
    if (code !== 0) throw notWritable(stderr.trim());
    return right;
  };
  for (const file of missing) {
    // What was there may be the beginning of another file: then all of it is sent again, once.
    const right = (await sendFile(file, begunAt(file))) || (await sendFile(file, 0));
    if (!right) throw damaged("A file of the part", file.sha256);
    checked.add(file.sha256);
    done += file.bytes;
  }
  const { code, stderr } = await runScript(
    connection,
    `cd ${PARTS} && mv -f "$NAME.json.new" "$NAME.json"`,
    { NAME: study },
    { signal },
  );
  if (code !== 0) throw notWritable(stderr.trim());
  onProgress(total, total);
};

const writeText = async (
  connection: SshConnection,
  path: string,
  text: string,
  signal: AbortSignal,
): Promise<void> => {
  const { code, stderr } = await connection.run(`sh -c 'umask 077; cat >"$HOME/${path}"'`, {
    stdin: text,
    signal,
    timeoutMs: 120_000,
  });
  if (code === 0) return;
  throw /no space left/i.test(stderr)
    ? diskFull(Buffer.byteLength(text), 0, stderr.trim())
    : notWritable(stderr.trim());
};

/**
 * Checks a data folder that is on the board already.
 *
 * @param folder absolute, or in the user's home folder (`data`, `~/data`)
 * @returns its absolute path there
 * @throws BoardError "data-missing"
 */
export const checkFolder = async (connection: SshConnection, folder: string): Promise<string> => {
  const { said, code, stderr } = await runScript(
    connection,
    `[ -d "$FOLDER" ] || exit 91
cd -- "$FOLDER" && ls -A >/dev/null || exit 92
[ -n "$(ls -A | head -n 1)" ] || exit 93
say at "$(pwd -P)"`,
    { FOLDER: folder.replace(/^~\//, "") },
    { words: 2 },
  );
  const raw = stderr.trim();
  const path = said.find(([word]) => word === "at")?.[1];
  if (code === 0 && path !== undefined) return path;
  if (code === 93) throw folderMissing(folder, "is empty");
  throw folderMissing(folder, code === 92 ? "cannot be read by the user" : "is not there", raw);
};
