import type { ClientChannel } from "ssh2";
import { BoardError, type Ran, type RunOptions } from "#main/boards/board-ports.ts";
import { cancelled } from "./problems.ts";

/** How much of each stream is kept. */
const KEPT_BYTES = 256 * 1024;
export const PATIENCE_MS = 30_000;
/** sshd allows ten sessions on a connection by default; readers and file transfer need some. */
const AT_ONCE = 6;

/** The last bytes of a stream. */
export const createTail = (limit: number) => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let cut = false;
  return {
    add(chunk: Buffer): void {
      chunks.push(chunk);
      bytes += chunk.length;
      while (bytes > limit) {
        cut = true;
        const first = chunks[0]!;
        const surplus = bytes - limit;
        if (first.length <= surplus) chunks.shift();
        else chunks[0] = first.subarray(surplus);
        bytes -= Math.min(first.length, surplus);
      }
    },
    text(): string {
      let all = Buffer.concat(chunks);
      // The cut must not leave part of a character.
      while (cut && all.length > 0 && (all[0]! & 0xc0) === 0x80) all = all.subarray(1);
      return all.toString("utf8");
    },
  };
};

/** Limits how many sessions are open at once; to fewer where the server allows fewer. */
export const createSessionSlots = (limit = AT_ONCE) => {
  let allowed = limit;
  let taken = 0;
  const waiting: (() => void)[] = [];
  const next = (): void => {
    while (taken < allowed && waiting.length > 0) {
      taken += 1;
      waiting.shift()!();
    }
  };
  return {
    take: (signal?: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        const abort = (): void => {
          waiting.splice(waiting.indexOf(enter), 1);
          reject(cancelled(signal?.reason));
        };
        const enter = (): void => {
          signal?.removeEventListener("abort", abort);
          resolve();
        };
        signal?.addEventListener("abort", abort, { once: true });
        waiting.push(enter);
        next();
      }),
    free(): void {
      taken -= 1;
      next();
    },
    /** The server refused a session: from now on at most as many as are open now. */
    refused(open: number): void {
      allowed = Math.max(1, Math.min(allowed, open));
    },
  };
};

export const tooLong = (timeoutMs: number): BoardError =>
  new BoardError({
    code: "no-answer",
    title: "A command took too long",
    cause: `It did not end within ${Math.round(timeoutMs / 1000)} s and was stopped.`,
    next: "Check whether the board is busy, then try again.",
    actions: [{ do: "retry", label: "Try again" }],
  });

/** What ssh2 sends a signal with; its own `signal` does nothing once standard input is closed. */
interface Signalling {
  readonly outgoing?: { readonly id: number };
  readonly _client?: { readonly _protocol?: { signal?(channel: number, name: string): void } };
}

/** Ends the command on the board as well: closing alone would leave it running until it writes. */
export const terminate = (channel: ClientChannel): void => {
  const { outgoing, _client } = channel as unknown as Signalling;
  try {
    if (outgoing !== undefined) _client?._protocol?.signal?.(outgoing.id, "TERM");
    channel.close();
  } catch {
    // the connection has just gone
  }
};

/** Waits for the end of a command whose channel is open. Rejects with BoardError "no-answer" or "cancelled". */
export const waitForEnd = (channel: ClientChannel, options: RunOptions): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const { stdin, signal, timeoutMs = PATIENCE_MS, onOutput } = options;
    const stdout = createTail(KEPT_BYTES);
    const stderr = createTail(KEPT_BYTES);
    let over = false;
    const finish = (settle: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      settle();
    };
    const stop = (error: BoardError): void =>
      finish(() => {
        terminate(channel);
        reject(error);
      });
    const abort = (): void => stop(cancelled(signal?.reason));
    const timer = Number.isFinite(timeoutMs)
      ? setTimeout(() => stop(tooLong(timeoutMs)), timeoutMs)
      : undefined;
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort, { once: true });
    const listen = (stream: NodeJS.ReadableStream, kept: typeof stdout, name: "stdout" | "stderr"): void => {
      const decoder = new TextDecoder();
      const hear = (text: string): void => {
        if (text !== "" && !over) onOutput?.(text, name);
      };
      stream.on("data", (chunk: Buffer) => {
        kept.add(chunk);
        if (onOutput !== undefined) hear(decoder.decode(chunk, { stream: true }));
      });
      stream.once("end", () => {
        if (onOutput !== undefined) hear(decoder.decode());
      });
    };
    listen(channel, stdout, "stdout");
    listen(channel.stderr, stderr, "stderr");
    // The status comes with "close" too; "exit" may have come before a listener was there.
    channel.once("close", (code?: number | null, endedBy?: string) =>
      finish(() =>
        resolve({
          code: code ?? null,
          stdout: stdout.text(),
          stderr: stderr.text(),
          ...(endedBy === undefined ? {} : { signal: endedBy }),
        }),
      ),
    );
    channel.end(stdin);
  });
