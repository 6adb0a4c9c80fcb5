import type { ParentPort } from "electron";
import type { Parent } from "#contract/child.ts";

/** The parent of this process, whichever of the two forks started it. */
export const connectParent = (): Parent => {
  // Electron's, in a utility process; in Node there is none.
  const parentPort = process.parentPort as ParentPort | undefined;
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
  // Electron ends its utility processes with itself; where one hears of it first, the port is closed.
  onGone(listener) {
    (port as NodeJS.EventEmitter).on("close", listener);
  },
});
