import type { WebSocket } from "ws";

/** The part of a socket that sends and says how much waits to be sent. */
export type SendingSocket = Pick<
  WebSocket,
  "send" | "bufferedAmount" | "readyState" | "OPEN" | "on" | "pause" | "resume"
>;

/** What may wait in the socket before senders do. */
const HIGH_WATER = 1024 * 1024;
/** So many answers may wait; then no further question is read. */
const MOST_WAITING = 64;

/**
 * A `send` that waits while a slow reader leaves more than 1 MiB unread, in the order of the calls. Without it a
 * page that stands still (a debugger, a sleeping laptop) makes the server hold everything that it would have shown.
 * Once the socket is closed, `send` resolves and does nothing: whoever sends is told by its abort signal.
 */
export const createPatientSend = (socket: SendingSocket): ((data: string | Uint8Array) => Promise<void>) => {
  const waiting: { readonly data: string | Uint8Array; readonly done: () => void }[] = [];
  let paused = false;

  const isFull = () => socket.readyState === socket.OPEN && socket.bufferedAmount > HIGH_WATER;
  const pass = (data: string | Uint8Array) => {
    // Whether it went well is told by the socket's own close.
    if (socket.readyState === socket.OPEN) socket.send(data, release);
  };
  const release = () => {
    while (waiting.length > 0 && !isFull()) {
      const next = waiting.shift()!;
      pass(next.data);
      next.done();
    }
    if (paused && waiting.length === 0) {
      paused = false;
      if (socket.readyState === socket.OPEN) socket.resume();
    }
  };
  socket.on("close", release);

  return (data) => {
    if (!isFull() && waiting.length === 0) {
      pass(data);
      return Promise.resolve();
    }
    if (waiting.length >= MOST_WAITING && !paused) {
      paused = true;
      socket.pause();
    }
    return new Promise<void>((done) => waiting.push({ data, done }));
  };
};
