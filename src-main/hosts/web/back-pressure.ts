import type { WebSocket } from "ws";

/** The part of a socket that sends and says how much waits to be sent. */
export type SendingSocket = Pick<
  WebSocket,
  "send" | "bufferedAmount" | "readyState" | "OPEN" | "CLOSED" | "on" | "pause" | "resume"
>;

/** What may wait in the socket before senders do. */
const HIGH_WATER = 1024 * 1024;
/** So many answers may wait; then no further question is read. */
const MOST_WAITING = 64;

/**
 * A `send` that waits while a slow reader leaves more than 1 MiB unread, in the order of the calls. Without it a
 * page that stands still (a debugger, a sleeping laptop) makes the server hold everything that it would have shown.
 * On a socket that is no longer open, `send` does nothing and resolves when it is closed: whoever sends is told by
 * its abort signal. It never resolves within the same turn of the event loop: a stream that always has more to say
 * would keep the process from noticing anything else, even that its reader has gone.
 */
export const createPatientSend = (socket: SendingSocket): ((data: string | Uint8Array) => Promise<void>) => {
  const waiting: { readonly data: string | Uint8Array; readonly done: () => void }[] = [];
  let paused = false;

  const mustWait = () => socket.readyState !== socket.OPEN || socket.bufferedAmount > HIGH_WATER;
  // Whether it went well is told by the socket's own close.
  const pass = (data: string | Uint8Array, done: () => void) => {
    socket.send(data, release);
    setImmediate(done);
  };
  const release = () => {
    while (waiting.length > 0 && !mustWait()) {
      const next = waiting.shift()!;
      pass(next.data, next.done);
    }
    if (paused && waiting.length === 0) {
      paused = false;
      if (socket.readyState === socket.OPEN) socket.resume();
    }
  };
  socket.on("close", () => {
    for (const { done } of waiting.splice(0)) setImmediate(done);
  });

  return (data) =>
    new Promise<void>((done) => {
      if (socket.readyState === socket.CLOSED) return void setImmediate(done);
      if (!mustWait() && waiting.length === 0) return pass(data, done);
      waiting.push({ data, done });
      if (waiting.length >= MOST_WAITING && !paused) {
        paused = true;
        socket.pause();
      }
    });
};
