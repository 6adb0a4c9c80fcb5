import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";

const nothing = (): void => {};

/**
 * Makes a channel behave as Node's HTTP and HTTP/2 expect of a socket. An error on it is never unhandled: those who
 * use it wait for its close.
 */
export const asSocket = <T extends ClientChannel | Duplex>(channel: T): T => {
  channel.on("error", nothing);
  const stderr = (channel as Partial<ClientChannel>).stderr;
  stderr?.on("error", nothing);
  const self = (): T => channel;
  return Object.assign(channel, {
    setKeepAlive: self,
    setNoDelay: self,
    setTimeout: self,
    ref: self,
    unref: self,
    destroySoon: () => {
      if (channel.writableFinished) channel.destroy();
      else channel.end(() => channel.destroy());
    },
  });
};

/** How long a reader may still read what came before the connection broke. */
const GRACE_MS = 250;

/**
 * Channels that are open. When a connection dies while something is being written to a channel, ssh2 may never
 * close the channel; then it is closed here.
 */
export const createChannels = () => {
  const open = new Set<Duplex>();
  return {
    add<T extends Duplex>(channel: T): T {
      open.add(channel);
      channel.once("close", () => open.delete(channel));
      return channel;
    },
    /** The connection is gone. */
    closeAll(): void {
      const timer = setTimeout(() => {
        for (const channel of [...open]) {
          // ssh2 replaces destroy by asking the other side, which is gone.
          const gone = Object.assign(new Error("the SSH connection is gone"), { code: "ECONNRESET" });
          Duplex.prototype.destroy.call(channel, gone);
          setImmediate(() => {
            if (open.has(channel)) channel.emit("close");
          });
        }
      }, GRACE_MS);
      timer.unref();
    },
  };
};
