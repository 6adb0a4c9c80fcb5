import type { ParentPort } from "electron";
import type { Parent } from "#contract/child.ts";

/** Connects to the parent process, whichever fork started this one. This process ends when its parent does. */
export const connectParent = (): Parent => {
  // Electron's utility processes have it; Node has none.
  const parentPort = process.parentPort as ParentPort | undefined;
  return parentPort === undefined ? overChannel() : overPort(parentPort);
};

const leave = (): never => process.exit(0);

const overChannel = (): Parent => {
  process.once("disconnect", leave);
  // If the parent was killed while this process started, no event tells.
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
  // Electron ends its utility processes when it ends; the port may close before.
  (port as NodeJS.EventEmitter).on("close", leave);
  return {
    send: (message) => port.postMessage(message),
    onMessage(listener) {
      port.on("message", ({ data }) => listener(data));
    },
  };
};
