import { createServer, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface CuttingProxy {
  readonly server: string;
  /** Ends every connection, and refuses new ones until `mend`. */
  cut(): void;
  /** Leaves every connection open and lets nothing through, as a cable that is pulled does, until `mend`. */
  silence(): void;
  /** New connections go through again; those that were silenced stay silent, as after another address was given. */
  mend(): void;
  /** Connections that are open. */
  open(): number;
  close(): Promise<void>;
}

/**
 * A proxy between a browser and the lab, which then still sees its own name as Host and Origin. Everything goes
 * through it, the WebSocket (as CONNECT) too; it can end or silence what is open.
 */
export const openCuttingProxy = async (): Promise<CuttingProxy> => {
  const sockets = new Set<Socket>();
  const pipes: [Socket, Socket][] = [];
  /** Asked while nothing went through: never answered. */
  const silenced = new Set<Socket>();
  let state: "open" | "cut" | "silent" = "open";

  const server = createServer((incoming, response) => {
    if (state === "silent") return void silenced.add(incoming.socket);
    const { method, headers } = incoming;
    const onward = request(incoming.url ?? "", { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    onward.on("socket", keep);
    incoming.pipe(onward);
  });
  const keep = (socket: Socket): void => {
    if (sockets.has(socket)) return;
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  server.on("connection", (socket) => {
    if (state === "cut") return void socket.destroy();
    keep(socket);
  });
  server.on("connect", (incoming, browser: Socket, head) => {
    if (state === "silent") return void silenced.add(browser);
    const [host, port] = (incoming.url ?? "").split(":");
    const lab = connect(Number(port), host, () => {
      browser.write("HTTP/1.1 200 Connection established\r\n\r\n");
      lab.write(head);
      lab.pipe(browser);
      browser.pipe(lab);
      pipes.push([browser, lab]);
    });
    keep(lab);
    browser.on("close", () => lab.destroy());
    lab.on("close", () => browser.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      state = "cut";
      for (const socket of sockets) socket.destroy();
    },
    silence() {
      state = "silent";
      for (const [browser, lab] of pipes) {
        browser.unpipe(lab).pause();
        lab.unpipe(browser).pause();
      }
    },
    mend() {
      state = "open";
    },
    open: () => sockets.size,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};
