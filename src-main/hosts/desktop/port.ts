import type { AnyRouter } from "@orpc/server";
import { RPCHandler } from "@orpc/server/message-port";
import type { IpcMain, MessageChannelMain, MessagePortMain } from "electron";
import { isPageMessage } from "#main/hosts/page-api/page-message.ts";
import { isFromOurPage } from "./origin.ts";

/** The page asks for its port on the first channel, once per load, and gets it on the second. */
export const CONNECT_CHANNEL = "lab:connect";
export const PORT_CHANNEL = "lab:port";

export interface PortOptions {
  readonly router: AnyRouter;
  refused(what: string): void;
}

/**
 * Gives our page, and nothing else, a port to the lab. A page that is reloaded gets a new one; the old one is closed,
 * which ends its streams.
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

/** Lets only messages of the lab's protocol through: oRPC could not tell anything else from a bug. */
const onlyMessages = (port: MessagePortMain, refused: (what: string) => void) => ({
  postMessage: (message: unknown) => port.postMessage(message),
  on(kind: "message" | "close", listener: Listener): void {
    if (kind === "close") port.on("close", () => listener({ data: undefined }));
    if (kind !== "message") return;
    port.on("message", ({ data }) => {
      if (isPageMessage(data)) listener({ data });
      else refused("a message that is not part of the lab's protocol");
    });
  },
});
