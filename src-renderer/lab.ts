import { createORPCClient } from "@orpc/client";
import { RPCLink as PortLink } from "@orpc/client/message-port";
import { RPCLink as SocketLink } from "@orpc/client/websocket";
import type { ContractRouterClient } from "@orpc/contract";
import { WebSocket as ReconnectingWebSocket } from "partysocket";
import type { LabContract } from "#contract/lab-contract.ts";

/** The only file that knows how the page reaches the lab: through a port in the desktop, a socket in a browser. */

export type LabClient = ContractRouterClient<LabContract>;

/** "refused": the lab answers but does not recognise this browser, since it has restarted. */
export type Connection = "open" | "lost" | "refused";

export interface Lab {
  readonly client: LabClient;
  /** Calls back at once, and whenever the connection opens, is lost, or is refused to this browser. */
  onConnection(listener: (state: Connection) => void): void;
  /** Gives up a connection on which nothing has come for too long. */
  reconnect(): void;
}

/** What the desktop's preload puts into the page. */
interface DesktopBridge {
  /** Asks for a port to the lab; it comes as a message of the window with the data "fedfleet:port". */
  connect(): void;
  /** The frame of the window follows the page. */
  setTheme(theme: "light" | "dark" | "system"): void;
}

declare global {
  interface Window {
    readonly fedfleet?: DesktopBridge;
  }
}

/** In the desktop the window's own frame wears the page's colours. */
export const showScheme = (scheme: "light" | "dark" | "auto"): void =>
  window.fedfleet?.setTheme(scheme === "auto" ? "system" : scheme);

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
    // What could not be sent is an error for the caller; it is not sent later without notice.
    maxEnqueuedMessages: 0,
  });
  let opened = Promise.withResolvers<void>();
  let wasOpen = false;
  const listeners = new Set<(state: Connection) => void>();
  const tell = (state: Connection) => {
    for (const listener of listeners) listener(state);
  };
  socket.addEventListener("open", () => {
    wasOpen = true;
    opened.resolve();
    tell("open");
  });
  socket.addEventListener("close", async () => {
    // After a failed attempt, those who wait already keep waiting for the next one.
    if (wasOpen) opened = Promise.withResolvers<void>();
    wasOpen = false;
    tell("lost");
    // A socket is not told why it was turned away; a plain request is.
    const answer = await fetch("./", { method: "HEAD" }).catch(() => undefined);
    if (answer?.status === 403 && socket.readyState !== socket.OPEN) tell("refused");
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
      listener(socket.readyState === socket.OPEN ? "open" : "lost");
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
    onConnection: (listener) => listener("open"),
    // The port lives as long as the lab does: a new one comes with a new page.
    reconnect: () => location.reload(),
  };
};
