import type { WebSocket } from "ws";

/** The part of a socket that sends, and knows how much it has not sent yet. */
export type SendingSocket = Pick<
  WebSocket,
  "send" | "bufferedAmount" | "readyState" | "OPEN" | "CLOSED" | "on" | "pause" | "resume"
>;

/** Bytes that may wait in the socket before senders have to wait. */
const HIGH_WATER = 1024 * 1024;
/** When this many answers wait, no further request is read. */
const MOST_WAITING = 64;

/**
 * A `send` that waits while a slow reader leaves more than 1 MiB unread; calls keep their order. Without it a page that
 * stands still (a debugger, a sleeping laptop) makes the server hold everything that the page has not read.
 * On a socket that is no longer open, `send` does nothing and resolves once the socket is closed; the sender learns of
 * it from its abort signal. It never resolves in the same turn of the event loop: a stream without end would keep the
 * process from noticing anything else, even that its reader is gone.
 */
export const createPatientSend = (socket: SendingSocket): ((data: string | Uint8Array) => Promise<void>) => {
  const waiting: { readonly data: string | Uint8Array; readonly done: () => void }[] = [];
  let paused = false;

  const mustWait = () => socket.readyState !== socket.OPEN || socket.bufferedAmount > HIGH_WATER;
  // A failure shows in the socket's close event.
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
