import { connect } from "node:http2";
import { encodeClientMessage } from "#main/wire/messages.ts";

/**
 * Many Flower clients of one process, for load: each on a connection of its own, answering every message with one
 * and the same update. They count what they receive and keep nothing, so that 100 of them weigh as much as one.
 *
 *   node many-clients.ts PORT COUNT ELEMENTS
 *
 * Ends by itself when all calls are over.
 */
const [port = "0", count = "1", elements = "4"] = process.argv.slice(2);

const update = encodeClientMessage("flwr", {
  kind: "fit",
  status: { code: 0, message: "" },
  parameters: [
    {
      dtype: "float32",
      shape: [Number(elements)],
      bytes: new Uint8Array(new Float32Array(Number(elements)).fill(0.5).buffer),
    },
  ],
  examples: 10,
  metrics: {},
});
const length = update.reduce((n, c) => n + c.length, 0);
const prefix = Buffer.alloc(5);
prefix.writeUInt32BE(length, 1);

const goodbye = Buffer.concat(encodeClientMessage("flwr", { kind: "disconnect", reason: 1 }));
const goodbyePrefix = Buffer.alloc(5);
goodbyePrefix.writeUInt32BE(goodbye.length, 1);

let open = Number(count);
for (let i = 0; i < Number(count); i++) {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  const call = session.request(
    {
      ":method": "POST",
      ":path": "/flwr.proto.FlowerService/Join",
      "content-type": "application/grpc",
      te: "trailers",
    },
    { endStream: false },
  );
  call.on("error", () => {});
  let head = Buffer.alloc(0);
  let left = -1;
  call.on("data", (chunk: Buffer) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (left < 0) {
        head = Buffer.concat([head, rest.subarray(0, 5 - head.length)]);
        rest = rest.subarray(head.length > 5 ? 5 : Math.min(rest.length, 5));
        if (head.length < 5) return;
        left = head.readUInt32BE(1);
        head = Buffer.alloc(0);
        // Only Reconnect is so short.
        if (left < 20) {
          call.write(goodbyePrefix);
          call.end(goodbye);
          return;
        }
      }
      const taken = Math.min(left, rest.length);
      left -= taken;
      rest = rest.subarray(taken);
      if (left === 0) {
        left = -1;
        call.write(prefix);
        for (const part of update) call.write(part);
      }
    }
  });
  call.on("close", () => {
    session.destroy();
    if (--open === 0) process.exit(0);
  });
}
