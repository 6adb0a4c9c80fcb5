import type { AnyRouter } from "@orpc/server";
import { RPCHandler } from "@orpc/server/message-port";
import type { IpcMain, MessageChannelMain, MessagePortMain } from "electron";
import { isFromOurPage } from "./origin.ts";

/** The page asks for its port here, once per load; the port comes back on the other. */
export const CONNECT_CHANNEL = "lab:connect";
export const PORT_CHANNEL = "lab:port";

/** A question of the page is small; the largest is a study file. */
const MAX_CHARACTERS = 8 * 1024 * 1024;
const MAX_ID = 64;

export interface PortOptions {
  readonly router: AnyRouter;
  refused(what: string): void;
}

/**
 * Gives a port to the lab to our page, and to nobody else. A page that is loaded again gets a new one; the old one
 * is closed, which ends its streams.
 */
export const serveLabPort = (
  electron: {
    readonly ipcMain: Pick<IpcMain, "on">;
    readonly MessageChannelMain: typeof MessageChannelMain;
  },
  { router, refused }: PortOptions,
): { close(): void } => {
  const handler = new RPCHandler(router);
  const ports = new Map<number, MessagePortMain>();

  electron.ipcMain.on(CONNECT_CHANNEL, (event, ...words) => {
    if (!isFromOurPage(event) || words.length > 0) {
      refused(`a port to the lab, for ${event.senderFrame?.url ?? "a frame that is gone"}`);
      return;
    }
    const { sender, senderFrame } = event;
    ports.get(sender.id)?.close();
    const { port1, port2 } = new electron.MessageChannelMain();
    ports.set(sender.id, port1);
    port1.on("close", () => {
      if (ports.get(sender.id) === port1) ports.delete(sender.id);
    });
    handler.upgrade(onlyMessages(port1, refused) as MessagePortMain);
    port1.start();
    senderFrame?.postMessage(PORT_CHANNEL, null, [port2]);
  });

  return {
    close() {
      for (const port of ports.values()) port.close();
      ports.clear();
    },
  };
};

type Listener = (event: { readonly data: unknown }) => void;

/** A port that hands on what is a message of the lab's protocol: nothing else could be told from a bug by oRPC. */
const onlyMessages = (port: MessagePortMain, refused: (what: string) => void) => ({
  postMessage: (message: unknown) => port.postMessage(message),
  on(kind: "message" | "close", listener: Listener): void {
    if (kind === "close") port.on("close", () => listener({ data: undefined }));
    if (kind !== "message") return;
    port.on("message", ({ data }) => {
      if (isPageMessage(data)) listener({ data });
      else refused("a message that is none of the lab's protocol");
    });
  },
});

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** As oRPC's client writes it: a question (its path, its input), or that its answer is no longer wanted. */
export const isPageMessage = (data: unknown): data is string => {
  if (typeof data !== "string" || data.length > MAX_CHARACTERS) return false;
  let message: unknown;
  try {
    message = JSON.parse(data);
  } catch {
    return false;
  }
  if (!isObject(message) || typeof message.i !== "string" || message.i.length > MAX_ID) return false;
  if (message.t === ABORT) return true;
  return (message.t === undefined || message.t === QUESTION) && isQuestion(message.p);
};

const QUESTION = 1;
const ABORT = 4;

/** The contract's questions are all posted, with JSON alone: no files, no forms. */
const isQuestion = (question: unknown): boolean => {
  if (!isObject(question)) return false;
  const { u: path, m: method, h: headers, b: body } = question;
  if (typeof path !== "string" || !/^\/[\w/]{1,200}$/.test(path) || method !== undefined) return false;
  if (body !== undefined && !isObject(body)) return false;
  if (headers === undefined) return true;
  return (
    isObject(headers) &&
    Object.entries(headers).every(
      ([name, value]) => !/^content-/i.test(name) && typeof value === "string" && value.length < 1000,
    )
  );
};
