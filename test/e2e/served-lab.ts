import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/websocket";
import type { ContractRouterClient } from "@orpc/contract";
import { WebSocket } from "ws";
import type { LabContract } from "#contract/lab-contract.ts";

export interface ServedLab {
  readonly dataDir: string;
  /** With its token. */
  readonly url: string;
  readonly origin: string;
  readonly port: number;
  readonly pid: number;
  /** Everything it has written to standard error. */
  said(): string;
  /** As a power cut would: without a word. */
  kill(): Promise<void>;
  /** As Ctrl-C does. @returns its exit code */
  interrupt(): Promise<number | null>;
  /** The same directory on the same port, in a new process. */
  again(): Promise<ServedLab>;
  /** Asks the lab directly: for what a test needs and does not test. */
  client(): Promise<DirectClient>;
  /** Kills it if it runs, and removes its data. */
  remove(): Promise<void>;
}

export interface DirectClient {
  readonly ask: ContractRouterClient<LabContract>;
  close(): void;
}

export interface ServeAt {
  readonly dataDir?: string;
  /** 0: any that is free. */
  readonly port?: number;
  /** The program that serves; default: the command line. */
  readonly argv?: readonly string[];
}

/** `fedfleet serve` in a process of its own, on a directory that is empty unless one is given. */
export const serveLab = async ({
  dataDir = join(mkdtempSync(join(tmpdir(), "fedfleet-e2e-")), "lab"),
  port = 0,
  argv = ["src-main/cli.ts", "serve", "--no-open"],
}: ServeAt = {}): Promise<ServedLab> => {
  const child = spawn(process.execPath, [...argv, "--port", String(port), "--data-dir", dataDir], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  let out = "";
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdout.setEncoding("utf8");
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (text: string) => {
      out += text;
      if (out.includes("\n")) resolve();
    });
    ended.then(([code]) => reject(new Error(`the lab ended with ${code}:\n${said}`)), reject);
  });
  const url = new URL(out.slice(0, out.indexOf("\n")));
  const stop = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return (await ended)[0];
  };
  return {
    dataDir,
    url: url.href,
    origin: url.origin,
    port: Number(url.port),
    pid: child.pid ?? 0,
    said: () => said,
    kill: async () => void (await stop("SIGKILL")),
    interrupt: () => stop("SIGINT"),
    again: () => serveLab({ dataDir, port: Number(url.port), argv }),
    client: () => connectDirectly(url),
    async remove() {
      await stop("SIGKILL");
      rmSync(join(dataDir, ".."), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
};

/** Trades the token for the cookie, as a browser does. */
export const cookieOf = async (url: URL | string): Promise<string> => {
  const traded = await fetch(url, { redirect: "manual" });
  const cookie = traded.headers.get("set-cookie")?.split(";")[0];
  if (cookie === undefined) throw new Error(`no cookie for ${url}: ${traded.status}`);
  return cookie;
};

/** Asks the lab that is served at this address, without a page. */
export const connectDirectly = async (url: URL): Promise<DirectClient> => {
  const headers = { origin: url.origin, cookie: await cookieOf(url) };
  const socket = new WebSocket(`ws://${url.host}/lab`, { headers });
  await once(socket, "open");
  const link = new RPCLink({ websocket: socket as unknown as globalThis.WebSocket });
  return { ask: createORPCClient(link), close: () => socket.close() };
};
