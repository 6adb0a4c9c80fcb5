import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/**
 * HTTP/2 receive windows. A peer may send this much ahead of what we read: with 64 KiB that is one round trip per
 * 64 KiB (5 MB/s at 10 ms); with 4 MiB it is 400 MB/s at 10 ms and 80 at 50, more than the links of boards carry.
 * Wider ones only let one connection keep the event loop busy for longer at a time. The window is also memory that
 * every peer can fill while it waits for its turn, so it is wide only while an upload slot is held.
 */
export const NARROW_WINDOW_BYTES = 65_535;
const WIDE_WINDOW_BYTES = 4 << 20;
/** Several calls on one connection share its settings, and those without a slot would get the wide window too. */
const SHARED_WINDOW_BYTES = 1 << 20;

/** As Flower's own server: a ping every 210 s, 20 s for its answer. */
const PING_EVERY_MS = 210_000;
const PING_TIMEOUT_MS = 20_000;
/** A connection without a call is closed after this time. */
const UNUSED_MS = 30_000;
/** Time for the last frames to leave before the socket is cut. */
const CLOSE_GRACE_MS = 1000;

/** One HTTP/2 connection of a peer. */
export interface Connection {
  /** `10.0.0.7:51234`, or what the injected channel is called. */
  readonly address: string;
  /** The peer's IP address, undefined for an injected channel. */
  readonly ip: string | undefined;
  /** Whether the whole connection is gone, not only a call on it. */
  readonly lost: boolean;
  /** Counts a call; the function that is returned takes it off again. */
  addCall(): () => void;
  /** Opens the receive window wide for one upload; the function that is returned narrows it again. */
  widen(): () => void;
  /** Ends the connection if it carries no call any more. */
  closeIfUnused(): void;
  destroy(): void;
}

const once = (action: () => void): (() => void) => {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
};

/**
 * Looks after one connection: its windows, its keepalive, its end. Errors of the HTTP/2 session and its socket end
 * here; calls learn of them by their own `close`.
 */
export const createConnection = (session: ServerHttp2Session, label?: string): Connection => {
  const socket = session.socket as Socket;
  const ip = label === undefined ? socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "") : undefined;
  const address =
    label ?? (ip === undefined ? "unknown" : `${ip.includes(":") ? `[${ip}]` : ip}:${socket.remotePort}`);
  let calls = 0;
  let uploads = 0;
  let window = NARROW_WINDOW_BYTES;
  let unused: NodeJS.Timeout | undefined;
  let pingTimeout: NodeJS.Timeout | undefined;

  const alive = (): boolean => !session.destroyed;

  const fitWindow = (): void => {
    const wanted = uploads === 0 ? NARROW_WINDOW_BYTES : calls <= 1 ? WIDE_WINDOW_BYTES : SHARED_WINDOW_BYTES;
    if (wanted === window || !alive()) return;
    window = wanted;
    try {
      session.settings({ initialWindowSize: wanted });
      session.setLocalWindowSize(wanted);
    } catch {
      // Too many unanswered settings, or gone in between: the old window stays, which is slow but safe.
    }
  };

  const closeIfUnused = (): void => {
    if (calls > 0 || !alive()) return;
    session.close();
    setTimeout(() => session.destroy(), CLOSE_GRACE_MS).unref();
  };

  const waitForUse = (): void => {
    clearTimeout(unused);
    if (calls > 0) return;
    unused = setTimeout(closeIfUnused, UNUSED_MS);
    unused.unref();
  };

  /** A peer that neither answers nor sends anything else is gone. */
  const ping = (): void => {
    if (!alive() || pingTimeout !== undefined) return;
    const seen = socket.bytesRead;
    const answered = (): void => {
      clearTimeout(pingTimeout);
      pingTimeout = undefined;
    };
    try {
      session.ping((error) => {
        if (error === null) answered();
      });
    } catch {
      return;
    }
    pingTimeout = setTimeout(() => {
      pingTimeout = undefined;
      if (alive() && socket.bytesRead === seen) session.destroy();
    }, PING_TIMEOUT_MS);
    pingTimeout.unref();
  };

  const pings = setInterval(ping, PING_EVERY_MS);
  pings.unref();
  session.on("error", () => {});
  session.on("frameError", () => {});
  session.once("close", () => {
    clearInterval(pings);
    clearTimeout(pingTimeout);
    clearTimeout(unused);
  });
  waitForUse();

  return {
    address,
    ip,
    get lost() {
      return session.destroyed;
    },
    addCall: () => {
      calls++;
      clearTimeout(unused);
      fitWindow();
      return once(() => {
        calls--;
        fitWindow();
        waitForUse();
      });
    },
    widen: () => {
      uploads++;
      fitWindow();
      return once(() => {
        uploads--;
        fitWindow();
      });
    },
    closeIfUnused,
    destroy: () => session.destroy(),
  };
};
