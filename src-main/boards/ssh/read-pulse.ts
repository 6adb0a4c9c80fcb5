import type { SshConnection } from "#main/boards/board-ports.ts";

/** A line that is longer is no line of a pulse. */
const LONGEST_LINE = 64 * 1024;

export interface PulseEars {
  onLine(line: string): void;
  /** The reader ended although the connection lives: what it said last on standard error, or how it ended. */
  onEnd(words: string): void;
  /** Pause before it is started again. */
  readonly againMs: number;
}

/** Reads lines of a command for as long as the connection lives; where the command ends, it is started again. */
export const readPulse = async (
  connection: SshConnection,
  command: string,
  ears: PulseEars,
): Promise<void> => {
  while (!connection.isClosed) {
    try {
      ears.onEnd(await readOnce(connection, command, ears));
    } catch (error) {
      ears.onEnd(error instanceof Error ? error.message : String(error));
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ears.againMs);
      void connection.closed.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
};

const readOnce = async (
  connection: SshConnection,
  command: string,
  { onLine }: PulseEars,
): Promise<string> => {
  const channel = await connection.open(command);
  let words = "";
  let rest = "";
  const decoder = new TextDecoder();
  channel.on("data", (chunk: Buffer) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!.slice(-LONGEST_LINE);
    for (const line of lines) onLine(line);
  });
  channel.stderr.on("data", (chunk: Buffer) => {
    words = (words + chunk.toString("utf8")).slice(-2000);
  });
  return await new Promise((resolve) => {
    channel.once("close", (code?: number | null, signal?: string) =>
      resolve(words.trim() || `the reader of its pulse ended with ${code ?? signal ?? "no status"}`),
    );
    channel.end();
  });
};
