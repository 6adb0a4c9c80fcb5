import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { BoardError, type Forwarding, type SshConnection } from "#main/boards/board-ports.ts";
import { type Hop, hostText } from "./problems.ts";
import { inSh, quote } from "./shell.ts";

type Take = (channel: Duplex) => void;

/** A request that the server refused. */
export const refusal = (hop: Hop, title: string, next: string) => (error: Error) =>
  new BoardError(
    {
      code: "forwarding-refused",
      title,
      cause: `The SSH server at ${hostText(hop)} said: ${error.message}.`,
      next,
      raw: error.message,
      actions: [{ do: "retry", label: "Try again" }],
    },
    { cause: error },
  );

export interface ForwardingPorts {
  readonly hop: Hop;
  readonly run: SshConnection["run"];
  /** Waits for a callback of ssh2, but never longer than the connection lives. */
  ask<T>(
    start: (done: (error?: Error | null, value?: T) => void) => void,
    refused: (error: Error) => BoardError,
  ): Promise<T>;
  gone(): BoardError;
  track<T extends Duplex>(channel: T): T;
}

/** A unix socket's path may not be longer. */
const SOCKET_PATH_BYTES = 107;

/** Connections from the board back to us: several over one SSH connection, told apart by their address on the board. */
export const createForwardings = (client: Client, needs: ForwardingPorts) => {
  const { hop, run, ask, gone, track } = needs;
  const sockets = new Map<string, Take>();
  const ports = new Map<number, Take>();
  const forwardRefused = (option: string) =>
    refusal(
      hop,
      `The SSH server of ${hop.host} forbids tunnels`,
      `Allow ${option} in /etc/ssh/sshd_config on the board and restart its SSH server.`,
    );

  const prepareSocket = async (path: string): Promise<string> => {
    const { code, stdout, stderr } = await run(
      inSh(
        `p=${quote(path)}; case $p in /*) ;; *) p=$HOME/$p ;; esac; umask 077; ` +
          `mkdir -p -- "$(dirname -- "$p")" && rm -f -- "$p" && printf %s "$p"`,
      ),
    );
    if (code === 0 && Buffer.byteLength(stdout) <= SOCKET_PATH_BYTES) return stdout;
    throw new BoardError({
      code: "forwarding-refused",
      title: `The tunnel cannot start at ${path}`,
      cause:
        code === 0
          ? `${stdout} is longer than the ${SOCKET_PATH_BYTES} characters that a socket's path may have.`
          : `Its folder cannot be created or written on ${hop.host}.`,
      next: "Check the permissions and the free space of the home folder on the board.",
      ...(stderr === "" ? {} : { raw: stderr.trim() }),
    });
  };

  client.on("unix connection", ({ socketPath }, accept, reject) => {
    const take = sockets.get(socketPath);
    if (take === undefined) reject();
    else take(track(accept()));
  });
  client.on("tcp connection", ({ destPort }, accept, reject) => {
    const take = ports.get(destPort);
    if (take === undefined) reject();
    else take(track(accept()));
  });

  /** Ends a forwarding; does nothing where the connection or the forwarding is gone. */
  const endForward = async (start: (done: (error?: Error | null) => void) => void): Promise<void> => {
    await ask<void>(start, gone).catch(() => {});
  };

  return {
    async forwardSocket(given: string, onConnection: Take): Promise<Forwarding> {
      const path = await prepareSocket(given);
      const stop = () => endForward((done) => client.openssh_unforwardInStreamLocal(path, done));
      if (sockets.has(path)) await stop();
      // A function of its own: `close` ends this forwarding only, even if the same callback is given twice.
      const take: Take = (channel) => onConnection(channel);
      sockets.set(path, take);
      try {
        await ask<void>(
          (done) => client.openssh_forwardInStreamLocal(path, done),
          forwardRefused("AllowStreamLocalForwarding"),
        );
      } catch (error) {
        sockets.delete(path);
        throw error;
      }
      return {
        async close() {
          if (sockets.get(path) !== take) return;
          sockets.delete(path);
          await stop();
          await run(inSh(`rm -f -- ${quote(path)}`)).catch(() => {});
        },
      };
    },
    async forwardPort(onConnection: Take): Promise<Forwarding & { readonly port: number }> {
      const port = await ask<number>(
        (done) =>
          client.forwardIn("127.0.0.1", 0, (error, found) => {
            if (found !== undefined) ports.set(found, onConnection);
            done(error, found);
          }),
        forwardRefused("AllowTcpForwarding"),
      );
      return {
        port,
        async close() {
          if (!ports.delete(port)) return;
          await endForward((done) => client.unforwardIn("127.0.0.1", port, done));
        },
      };
    },
  };
};
