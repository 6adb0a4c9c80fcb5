import { connect, createServer, type Socket } from "node:net";

/**
 * A TCP link with a delay, in a process of its own: every chunk is passed on `delayMs` after it came, each way, with
 * no other limit. Started with fork; talks to its parent over IPC:
 *   in  {kind:"mark"} forget what was measured · {kind:"report"}
 *   out {kind:"listening", port} · {kind:"report", bytes, milliseconds} of the upload since the mark
 *
 * An upload begins with the first chunk of 4 KiB or more from the client (what is smaller are acknowledgements and
 * pings), and ends when its last byte is handed on to the server.
 */
const [targetPort = "0", delay = "5"] = process.argv.slice(2);
const delayMs = Number(delay);
/** In flight at once: more than any link of this delay that is worth measuring holds (8 MiB / 5 ms = 1.6 GB/s). */
const MAX_IN_FLIGHT = 8 << 20;
const UPLOAD_CHUNK = 4096;

const upload = { bytes: 0, first: 0, last: 0 };

const pipe = (from: Socket, to: Socket, up: boolean): void => {
  const queue: { at: number; chunk: Buffer }[] = [];
  let inFlight = 0;
  let timer: NodeJS.Timeout | undefined;
  let blocked = false;
  let ended = false;
  const schedule = (): void => {
    const head = queue[0];
    if (head === undefined) {
      if (ended) to.end();
      return;
    }
    if (timer !== undefined || blocked) return;
    timer = setTimeout(deliver, Math.max(0, head.at - performance.now()));
  };
  const deliver = (): void => {
    timer = undefined;
    const now = performance.now();
    let free = true;
    while (free && queue[0] !== undefined && queue[0].at <= now) {
      const { chunk } = queue.shift()!;
      inFlight -= chunk.length;
      free = to.write(chunk);
      if (up && upload.first !== 0) {
        upload.bytes += chunk.length;
        upload.last = performance.now();
      }
    }
    if (!free) {
      blocked = true;
      to.once("drain", () => {
        blocked = false;
        schedule();
      });
    }
    if (inFlight < MAX_IN_FLIGHT) from.resume();
    schedule();
  };
  from.on("data", (chunk: Buffer) => {
    if (up && upload.first === 0 && chunk.length >= UPLOAD_CHUNK) upload.first = performance.now();
    queue.push({ at: performance.now() + delayMs, chunk });
    inFlight += chunk.length;
    if (inFlight >= MAX_IN_FLIGHT) from.pause();
    schedule();
  });
  from.on("end", () => {
    ended = true;
    schedule();
  });
  from.on("error", () => to.destroy());
  from.on("close", () => {
    if (!ended) to.destroy();
  });
};

const server = createServer({ noDelay: true }, (client) => {
  const target = connect({ host: "127.0.0.1", port: Number(targetPort), noDelay: true });
  pipe(client, target, true);
  pipe(target, client, false);
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ kind: "listening", port: typeof address === "object" ? address?.port : undefined });
});

process.on("message", (message: { kind: string }) => {
  if (message.kind === "mark") Object.assign(upload, { bytes: 0, first: 0, last: 0 });
  else if (message.kind === "report") {
    process.send?.({ kind: "report", bytes: upload.bytes, milliseconds: upload.last - upload.first });
  }
});
process.on("disconnect", () => process.exit(0));
