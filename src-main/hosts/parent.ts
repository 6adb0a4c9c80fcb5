import type { Parent } from "#contract/child.ts";

/** What Electron gives to a utility process in place of Node's own channel. */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: "message", listener: (event: { readonly data: unknown }) => void): unknown;
  on(event: "close", listener: () => void): unknown;
}

/** The parent of this process, whichever of the two forks started it. */
export const connectParent = (): Parent => {
  const { parentPort } = process as { parentPort?: ParentPort };
  return parentPort === undefined ? overChannel() : overPort(parentPort);
};

const overChannel = (): Parent => ({
  send(message) {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  },
  onMessage(listener) {
    process.on("message", listener);
  },
  onGone(listener) {
    process.once("disconnect", listener);
    // A parent that was killed while this process started is never heard of.
    if (!process.connected) setImmediate(listener);
  },
});

const overPort = (port: ParentPort): Parent => ({
  send: (message) => port.postMessage(message),
  onMessage(listener) {
    port.on("message", ({ data }) => listener(data));
  },
  // Electron ends a utility process with its own; the port says so first where it can.
  onGone(listener) {
    port.on("close", listener);
  },
});
