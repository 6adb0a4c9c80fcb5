import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Lateness {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface MeasuredLab {
  readonly url: string;
  /** From now on. */
  measure(): void;
  /** How late its event loop was, in milliseconds. */
  report(): Promise<Lateness>;
  close(): Promise<void>;
}

/** `serve-measured.ts` in a process of its own. */
export const serveMeasured = async (dataDir: string): Promise<MeasuredLab> => {
  const child = fork(fileURLToPath(new URL("./serve-measured.ts", import.meta.url)), [dataDir], {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const word = async <T>(): Promise<T> => (await once(child, "message"))[0] as T;
  const { url } = await word<{ url: string }>();
  return {
    url,
    measure: () => void child.send({ kind: "measure" }),
    async report() {
      child.send({ kind: "report" });
      return await word<Lateness>();
    },
    async close() {
      child.send({ kind: "close" });
      await once(child, "exit");
    },
  };
};
