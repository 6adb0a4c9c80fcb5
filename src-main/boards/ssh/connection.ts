import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import type { ClientChannel, SFTPWrapper } from "ssh2";
import type { BoardProblem } from "#contract/boards.ts";
import { BoardError, type Ran, type RunOptions, type SshConnection } from "#main/boards/board-ports.ts";
import { asSocket, createChannels } from "./channels.ts";
import { createSessionSlots, PATIENCE_MS, terminate, tooLong, waitForEnd } from "./commands.ts";
import { createForwardings, refusal } from "./forwardings.ts";
import { endClient, type OpenedClient } from "./open-client.ts";
import { cancelled, lostProblem } from "./problems.ts";

/** How often a session is requested while no other is open. */
const MAX_REFUSALS = 10;

/** Makes a signed-in client the connection to a board. `before` are the hosts that it goes through. */
export const createConnection = (
  opened: OpenedClient,
  before: readonly OpenedClient[] = [],
): SshConnection & { readonly lost: BoardProblem | undefined; readonly heardAt: number } => {
  const { client, socket, hop, hostKey } = opened;
  const slots = createSessionSlots();
  const channels = createChannels();
  /** Called when the connection is gone. */
  const waiting = new Set<(error: BoardError) => void>();
  let running = 0;
  let isClosed = false;
  let ours = false;
  let lastError: Error | undefined;
  let lost: BoardProblem | undefined;
  let heardAt = Date.now();
  let transfer: Promise<SFTPWrapper> | undefined;

  socket.on("data", () => {
    heardAt = Date.now();
  });
  client.on("error", (error) => {
    lastError = error;
  });
  const gone = (): BoardError =>
    new BoardError(lost ?? lostProblem(hop, lastError, ours), { cause: lastError });
  let settleClosed = (): void => {};
  const closed = new Promise<void>((resolve) => {
    settleClosed = resolve;
  });
  const onClose = (): void => {
    if (isClosed) return;
    isClosed = true;
    lost = lostProblem(hop, lastError, ours);
    const error = gone();
    for (const tell of [...waiting]) tell(error);
    waiting.clear();
    channels.closeAll();
    for (const jump of [...before].reverse()) endClient(jump);
    settleClosed();
  };
  client.once("close", onClose);
  if (socket.destroyed) onClose();

  /** Waits for a callback of ssh2, but never longer than the connection lives. */
  const ask = <T>(
    start: (done: (error?: Error | null, value?: T) => void) => void,
    refused: (error: Error) => BoardError,
    patience: { readonly signal?: AbortSignal; readonly timeoutMs?: number; late?(value: T): void } = {},
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const { signal, timeoutMs = Number.POSITIVE_INFINITY } = patience;
      if (isClosed) return reject(gone());
      if (signal?.aborted) return reject(cancelled(signal.reason));
      const settle = (): boolean => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        return waiting.delete(tell);
      };
      const tell = (error: BoardError): void => {
        if (settle()) reject(error);
      };
      const abort = (): void => tell(cancelled(signal?.reason));
      const timer = Number.isFinite(timeoutMs)
        ? setTimeout(() => tell(tooLong(timeoutMs)), timeoutMs)
        : undefined;
      waiting.add(tell);
      signal?.addEventListener("abort", abort, { once: true });
      const done = (error?: Error | null, value?: T): void => {
        if (!settle()) {
          if (!error) patience.late?.(value as T);
        } else if (!error) resolve(value as T);
        else reject(isClosed || /^no response from server$/i.test(error.message) ? gone() : refused(error));
      };
      try {
        start(done);
      } catch (error) {
        // ssh2 throws "Not connected" between the end of the stream and the close of the socket.
        tell(new BoardError(lostProblem(hop, lastError ?? (error as Error), ours), { cause: error }));
      }
    });

  const sessionRefused = refusal(
    hop,
    `${hop.host} does not open another session`,
    "Check MaxSessions in /etc/ssh/sshd_config on the board, and whether the user may run commands.",
  );
  const exec = (command: string, options: RunOptions = {}): Promise<ClientChannel> =>
    ask<ClientChannel>(
      (done) =>
        client.exec(command, (error, channel) => {
          if (!error) channels.add(asSocket(channel));
          done(error, channel);
        }),
      sessionRefused,
      { ...options, late: terminate },
    );

  const waitFor = (channel: ClientChannel, options: RunOptions): Promise<Ran> =>
    new Promise((resolve, reject) => {
      if (isClosed) return reject(gone());
      waiting.add(reject);
      waitForEnd(channel, options).then(
        (ran) => {
          // A channel that a dying connection closed is not the command's end: `onClose` reports it.
          if (ran.code === null && ran.signal === undefined && socket.destroyed && !isClosed) return;
          if (waiting.delete(reject)) resolve(ran);
        },
        (error) => {
          waiting.delete(reject);
          reject(error);
        },
      );
    });

  const run: SshConnection["run"] = async (command, options = {}) => {
    const { signal, timeoutMs = PATIENCE_MS } = options;
    for (let refusals = 0; ; ) {
      await ask<void>(
        (done) => slots.take(signal).then(() => done(), done),
        (error) => error as BoardError,
      );
      try {
        const channel = await exec(command, { timeoutMs, ...(signal === undefined ? {} : { signal }) });
        running += 1;
        try {
          return await waitFor(channel, { ...options, timeoutMs });
        } finally {
          running -= 1;
        }
      } catch (error) {
        if (!(error instanceof BoardError) || error.problem.code !== "forwarding-refused") throw error;
        // sshd counts a session until it has cleaned up after it, a little longer than we do.
        refusals += 1;
        if (running === 0 && refusals >= MAX_REFUSALS) throw error;
        slots.refused(running);
        await wait(20 * refusals);
      } finally {
        slots.free();
      }
    }
  };

  return {
    run,
    open: (command) => exec(command),
    openSocket: (path) =>
      ask<Duplex>(
        (done) =>
          client.openssh_forwardOutStreamLocal(path, (error, channel) => {
            if (!error) channels.add(asSocket(channel));
            done(error, channel);
          }),
        refusal(
          hop,
          `${path} on ${hop.host} cannot be opened`,
          "Check that its service runs, that the user may use it, and that the SSH server sets AllowStreamLocalForwarding.",
        ),
      ),
    ...createForwardings(client, {
      hop,
      run,
      ask,
      gone,
      track: (channel) => channels.add(asSocket(channel)),
    }),
    sftp() {
      transfer ??= ask<SFTPWrapper>(
        (done) => client.sftp((error, session) => done(error, session)),
        refusal(
          hop,
          `${hop.host} offers no file transfer`,
          "Turn on the sftp subsystem in /etc/ssh/sshd_config on the board.",
        ),
      ).then(
        (session) => {
          session.on("error", () => {});
          session.once("close", () => {
            transfer = undefined;
          });
          return session;
        },
        (error: unknown) => {
          transfer = undefined;
          throw error;
        },
      );
      return transfer;
    },
    hostKey,
    closed,
    get isClosed() {
      return isClosed;
    },
    get lost() {
      return lost;
    },
    get heardAt() {
      return heardAt;
    },
    end() {
      ours = true;
      endClient(opened);
    },
  };
};
