import type { ClientChannel } from "ssh2";
import type { SshConnection } from "#main/boards/board-ports.ts";
import { terminate } from "./commands.ts";

/** A longer line cannot be one of a pulse. */
const LONGEST_LINE = 64 * 1024;

export interface PulseListener {
  onLine(line: string): void;
  /**
   * The command ended although the connection lives.
   * @param words what it said last on standard error, or how it ended
   */
  onEnd(words: string): void;
  /** Pause before it is started again. */
  readonly againMs: number;
}

export interface PulseReader {
  /** Reads the lines of another command from now on, over the same connection. */
  use(command: string): void;
}

/** Reads lines of a command for as long as the connection lives; where the command ends, it is started again. */
export const readPulse = (connection: SshConnection, first: string, listener: PulseListener): PulseReader => {
  let command = first;
  let switchOver = (): void => {};

  const readOnce = async (mine: string): Promise<void> => {
    const channel = await connection.open(mine);
    if (mine !== command) return terminate(channel);
    // The next command does not wait for the end of this one, which a busy board may be slow to report.
    const switched = new Promise<undefined>((resolve) => {
      switchOver = () => {
        terminate(channel);
        resolve(undefined);
      };
    });
    const lines = readLines(channel, (line) => mine === command && listener.onLine(line));
    const words = await Promise.race([lines, switched]);
    if (words !== undefined) listener.onEnd(words);
  };
  const read = async (): Promise<void> => {
    while (!connection.isClosed) {
      const mine = command;
      try {
        await readOnce(mine);
      } catch (error) {
        listener.onEnd(error instanceof Error ? error.message : String(error));
      }
      if (mine === command) await pause(connection, listener.againMs);
    }
  };
  void read();

  return {
    use(next) {
      if (next === command) return;
      command = next;
      switchOver();
    },
  };
};

/** @returns what was said last on standard error, or how it ended */
const readLines = (channel: ClientChannel, onLine: (line: string) => void): Promise<string> => {
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
  return new Promise((resolve) => {
    channel.once("close", (code?: number | null, signal?: string) =>
      resolve(words.trim() || `the command of its pulse ended with ${code ?? signal ?? "no status"}`),
    );
    channel.end();
  });
};

const pause = (connection: SshConnection, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void connection.closed.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
