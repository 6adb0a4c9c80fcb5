import { fileURLToPath } from "node:url";
import type { utilityProcess } from "electron";
import type { ForkChild } from "#contract/child.ts";
import { afterLastWords, asText } from "./last-words.ts";

/**
 * Electron reports how a process ended as one number. For a signal it is the signal's number, plus 128 if it left a core
 * dump. None of our processes exits with one of these codes by itself.
 */
const SIGNALS: Readonly<Record<number, string>> = {
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
};

const endOf = (status: number, platform: NodeJS.Platform): { code: number | null; signal: string | null } => {
  const signal = platform === "win32" ? undefined : SIGNALS[status & 0x7f];
  return signal === undefined ? { code: status, signal: null } : { code: null, signal };
};

/** Starts child processes with Electron, for the desktop: its executable runs no plain scripts. */
export const createForkUtility =
  (utility: Pick<typeof utilityProcess, "fork">, platform = process.platform): ForkChild =>
  (entry, { name, env = {} }) => {
    const ended = Promise.withResolvers<{ readonly code: number | null; readonly signal: string | null }>();
    const failed = Promise.withResolvers<Error>();
    const texts = new Set<(text: string) => void>();
    let started = false;
    let over = false;
    let gone = false;

    const child = utility.fork(fileURLToPath(entry), [], {
      serviceName: name,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    const output = [child.stdout, child.stderr];
    asText(output);
    child.once("spawn", () => {
      started = true;
    });
    // V8 gave up, most likely because memory ran out; the process ends next.
    child.on("error", (type: string, location: string) => {
      for (const tell of texts) tell(`${type}: ${location}\n`);
    });
    child.once("exit", (status) => {
      gone = true;
      if (!started) {
        over = true;
        failed.resolve(new Error(`Electron could not start ${fileURLToPath(entry)} (${status})`));
        return;
      }
      afterLastWords(
        output,
        () => true,
        () => {
          over = true;
          ended.resolve(endOf(status, platform));
        },
      );
    });

    return {
      get pid() {
        return child.pid;
      },
      send(message) {
        if (!gone) child.postMessage(message);
      },
      onMessage(listener) {
        child.on("message", (message) => {
          if (!over) listener(message);
        });
      },
      onOutput(listener) {
        texts.add(listener);
        for (const stream of output) stream?.on("data", listener);
      },
      onError(listener) {
        void failed.promise.then(listener);
      },
      onExit(listener) {
        void ended.promise.then(({ code, signal }) => listener(code, signal));
      },
      kill() {
        const { pid } = child;
        // Electron asks the process to end, which it does not notice while it runs native code.
        if (platform !== "win32" && pid !== undefined && !gone) killNow(pid);
        child.kill();
      },
      get ended() {
        return gone;
      },
    };
  };

const killNow = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has already ended.
  }
};
