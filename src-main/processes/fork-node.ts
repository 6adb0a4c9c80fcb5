import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ForkChild } from "#contract/child.ts";
import { afterLastWords, asText } from "./last-words.ts";

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

  const output = [child.stdout, child.stderr];
  asText(output);
  child.once("exit", (code, signal) => {
    const { look } = afterLastWords(
      output,
      () => !child.connected,
      () => {
        over = true;
        ended.resolve({ code, signal });
      },
    );
    child.once("disconnect", look);
  });
  const failed = Promise.withResolvers<Error>();
  // Later errors are those of messages to a process that has ended, which its end reports.
  child.on("error", (error) => {
    if (child.pid === undefined) failed.resolve(error);
  });

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
      for (const stream of output) stream?.on("data", listener);
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
