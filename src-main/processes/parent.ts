import type { ParentPort } from "electron";
import type { Parent } from "#contract/child.ts";

/** The parent of this process, whichever of the two forks started it. This process ends when its parent is gone. */
export const connectParent = (): Parent => {
  // Electron's, in a utility process; in Node there is none.
  const parentPort = process.parentPort as ParentPort | undefined;
  return parentPort === undefined ? overChannel() : overPort(parentPort);
};

const leave = (): never => process.exit(0);

const overChannel = (): Parent => {
  process.once("disconnect", leave);
  // A parent that was killed while this process started is never heard of.
  if (!process.connected) setImmediate(leave);
  return {
    send(message) {
      if (process.connected) process.send?.(message, undefined, undefined, () => {});
    },
    onMessage(listener) {
      process.on("message", listener);
    },
  };
};

const overPort = (port: ParentPort): Parent => {
  // Electron ends its utility processes with itself; where this process hears of it first, the port is closed.
  (port as NodeJS.EventEmitter).on("close", leave);
  return {
    send: (message) => port.postMessage(message),
    onMessage(listener) {
      port.on("message", ({ data }) => listener(data));
    },
  };
};
