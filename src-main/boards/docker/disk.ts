import type { SshConnection } from "#main/boards/board-ports.ts";
import { inSh, quote } from "#main/boards/ssh/shell.ts";

export interface Space {
  readonly path: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Free space where a path lies, or will lie: of the nearest folder above it that one may look at. */
export const spaceAt = async (connection: SshConnection, path: string): Promise<Space | undefined> => {
  const ran = await connection
    .run(
      inSh(
        `p=${quote(path)}; while ! d=$(LC_ALL=C df -Pk "$p" 2>/dev/null); do [ "$p" != / ] || exit 1; p=$(dirname "$p"); done; printf '%s\\n' "$d"`,
      ),
      { timeoutMs: 10_000 },
    )
    .catch(() => undefined);
  const [, kilobytes, , free] =
    /^\S.*?\s(\d+)\s+(\d+)\s+(\d+)\s+\d+%/m.exec(ran?.stdout.split("\n").slice(1).join("\n") ?? "") ?? [];
  if (kilobytes === undefined || free === undefined) return undefined;
  return { path, totalBytes: Number(kilobytes) * 1024, freeBytes: Number(free) * 1024 };
};

/** "3.1 GB", "640 MB" */
export const sizeText = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
