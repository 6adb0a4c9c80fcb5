import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ForkChild } from "#contract/child.ts";

/**
 * How long the last words and messages of a process that has ended may take to arrive, in milliseconds. A process of
 * its own that it left behind may hold its pipes open for ever.
 */
const LAST_WORDS_MS = 250;

/** Child processes by Node's own fork: for every host that runs in Node itself. */
export const forkNode: ForkChild = (entry, { env = {} }) => {
  const child = fork(fileURLToPath(entry), [], {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // Out of the terminal's process group: what a Ctrl-C means is for this process to say. To catch the signal over
    // there is no way out: a signal handler that interrupts TensorFlow's matrix product (oneDNN's generated code)
    // has been seen to corrupt the worker's memory. A child ends with the channel to its parent.
    detached: process.platform !== "win32",
    env: { ...process.env, ...env },
  });
  const ended = Promise.withResolvers<{ readonly code: number | null; readonly signal: string | null }>();
  let over = false;

  child.once("exit", (code, signal) => {
    let timer: NodeJS.Timeout | undefined;
    const tell = () => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      ended.resolve({ code, signal });
    };
    const arrived = () => {
      const silent = [child.stdout, child.stderr].every((stream) => stream?.readableEnded ?? true);
      if (silent && !child.connected) tell();
    };
    timer = setTimeout(tell, LAST_WORDS_MS);
    for (const stream of [child.stdout, child.stderr]) stream?.once("end", arrived);
    child.once("disconnect", arrived);
    setImmediate(arrived);
  });
  const failed = Promise.withResolvers<Error>();
  // Later errors are those of messages to a process that has ended, which its end reports.
  child.on("error", (error) => {
    if (child.pid === undefined) failed.resolve(error);
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8");
    stream?.on("error", () => {});
    // What nobody listens to must not fill the pipe.
    stream?.resume();
  }

  return {
    pid: child.pid,
    send(message) {
      if (child.connected) child.send(message as object, () => {});
    },
    onMessage(listener) {
      child.on("message", (message) => {
        if (!over) listener(message);
      });
    },
    onOutput(listener) {
      child.stdout?.on("data", listener);
      child.stderr?.on("data", listener);
    },
    onError(listener) {
      void failed.promise.then(listener);
    },
    onExit(listener) {
      void ended.promise.then(({ code, signal }) => listener(code, signal));
    },
    kill() {
      child.kill("SIGKILL");
    },
    get ended() {
      return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    },
  };
};
