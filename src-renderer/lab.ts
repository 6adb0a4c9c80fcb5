import { createORPCClient } from "@orpc/client";
import { RPCLink as PortLink } from "@orpc/client/message-port";
import { RPCLink as SocketLink } from "@orpc/client/websocket";
import type { ContractRouterClient } from "@orpc/contract";
import { WebSocket as ReconnectingWebSocket } from "partysocket";
import type { LabContract } from "#contract/lab-contract.ts";

/** The only file that knows how the page reaches the lab: through a port in the desktop, a socket in a browser. */

export type LabClient = ContractRouterClient<LabContract>;

export interface Lab {
  readonly client: LabClient;
  /** Calls back at once, and whenever the connection opens or is lost. */
  onConnection(listener: (open: boolean) => void): void;
  /** Gives up a connection on which nothing has come for too long. */
  reconnect(): void;
}

/** What the desktop's preload puts into the page. */
interface DesktopBridge {
  /** Asks for a port to the lab; it comes as a message of the window with the data "fedfleet:port". */
  connect(): void;
}

declare global {
  interface Window {
    readonly fedfleet?: DesktopBridge;
  }
}

export const connectLab = async (): Promise<Lab> =>
  window.fedfleet === undefined ? connectSocket() : await connectPort(window.fedfleet);

const connectSocket = (): Lab => {
  const address = new URL("lab", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  address.hash = "";
  const socket = new ReconnectingWebSocket(address.href, [], {
    minReconnectionDelay: 300,
    maxReconnectionDelay: 3000,
    connectionTimeout: 5000,
    // What could not be sent is told to whoever asked, and not sent later behind his back.
    maxEnqueuedMessages: 0,
  });
  let opened = Promise.withResolvers<void>();
  const listeners = new Set<(open: boolean) => void>();
  socket.addEventListener("open", () => {
    opened.resolve();
    for (const listener of listeners) listener(true);
  });
  socket.addEventListener("close", () => {
    opened = Promise.withResolvers<void>();
    for (const listener of listeners) listener(false);
  });
  const link = new SocketLink({
    websocket: socket as unknown as WebSocket,
    clientInterceptors: [
      async ({ next }) => {
        if (socket.readyState !== socket.OPEN) await opened.promise;
        return await next();
      },
    ],
  });
  return {
    client: createORPCClient(link),
    onConnection(listener) {
      listeners.add(listener);
      listener(socket.readyState === socket.OPEN);
    },
    reconnect: () => socket.reconnect(),
  };
};

const connectPort = async (bridge: DesktopBridge): Promise<Lab> => {
  const port = await new Promise<MessagePort>((resolve) => {
    const listen = (event: MessageEvent) => {
      const [given] = event.ports;
      if (event.source !== window || event.data !== "fedfleet:port" || given === undefined) return;
      window.removeEventListener("message", listen);
      resolve(given);
    };
    window.addEventListener("message", listen);
    bridge.connect();
  });
  port.start();
  return {
    client: createORPCClient(new PortLink({ port })),
    onConnection: (listener) => listener(true),
    // The port lives as long as the lab does: a new one comes with a new page.
    reconnect: () => location.reload(),
  };
};
