import { type ChildProcess, fork, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { createAggregator } from "#main/aggregator/aggregator.ts";
import { encodeServerMessage } from "#main/wire/messages.ts";
import { pythonOf } from "#test/setup/flwr.ts";
import { type Figure, renderFigures } from "./figure.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const FLWR_PYTHON = pythonOf("1.11.1");
const FLWR_CLIENT = here("../integration/flwr_client.py");
/** One ResNet18 update. */
const ELEMENTS = 11_173_962;
const UPDATE_BYTES = 4 * ELEMENTS;

const message = <T>(child: ChildProcess, kind: string): Promise<T> =>
  new Promise((resolve, reject) => {
    const onMessage = (m: { kind: string } & T): void => {
      if (m.kind !== kind) return;
      child.off("message", onMessage);
      resolve(m);
    };
    child.on("message", onMessage);
    child.once("exit", (code) => reject(new Error(`the child ended with ${code} before it said ${kind}`)));
  });

interface DelayedLink {
  readonly port: number;
  mark(): void;
  report(): Promise<{ bytes: number; milliseconds: number }>;
  stop(): void;
}

const startLink = async (targetPort: number, delayMs: number): Promise<DelayedLink> => {
  const child = fork(here("./delay-proxy.ts"), [String(targetPort), String(delayMs)], { execArgv: [] });
  const { port } = await message<{ port: number }>(child, "listening");
  return {
    port,
    mark: () => child.send({ kind: "mark" }),
    report: () => {
      const report = message<{ bytes: number; milliseconds: number }>(child, "report");
      child.send({ kind: "report" });
      return report;
    },
    stop: () => child.disconnect(),
  };
};

const startFlwr = (port: number): ChildProcess =>
  spawn(FLWR_PYTHON, [FLWR_CLIENT, "--server", `127.0.0.1:${port}`, "--elements", String(ELEMENTS)], {
    env: { ...process.env, FLWR_TELEMETRY_ENABLED: "0" },
    stdio: "ignore",
  });

/** Bare bytes through the delayed link, to show that the link itself is not what limits: MB/s. */
const measureLink = async (): Promise<number> => {
  let done: () => void = () => {};
  const arrived = new Promise<void>((resolve) => {
    done = resolve;
  });
  let received = 0;
  const total = 200 << 20;
  const sink = createServer((socket) =>
    socket.on("data", (chunk) => {
      received += chunk.length;
      if (received >= total) done();
    }),
  );
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  const link = await startLink((sink.address() as { port: number }).port, 5);
  const socket = connect(link.port, "127.0.0.1");
  const piece = Buffer.alloc(1 << 20);
  const started = performance.now();
  for (let i = 0; i < total; i += piece.length) socket.write(piece);
  await arrived;
  const seconds = (performance.now() - started) / 1000;
  socket.destroy();
  link.stop();
  sink.close();
  return total / 1e6 / seconds;
};

/** MB/s of one upload: of its bytes on the wire, and from the question to the whole answer. */
interface Rate {
  readonly wire: number;
  readonly whole: number;
}

/** Uploads of one flwr client to our server, through 10 ms of round trip. */
const measureOurs = async (count: number): Promise<Rate[]> => {
  const aggregator = createAggregator({ emit: () => {}, admission: { kind: "open" } });
  const { port } = await aggregator.listen({ host: "127.0.0.1", port: 0 });
  const link = await startLink(port, 5);
  const joined = new Promise<void>((resolve) => {
    const off = aggregator.onChange(() => {
      if (aggregator.sessions().length === 0) return;
      off();
      resolve();
    });
  });
  const client = startFlwr(link.port);
  await joined;
  const session = aggregator.sessions()[0]!;
  const rates: Rate[] = [];
  for (let i = 0; i < count; i++) {
    link.mark();
    const asked = performance.now();
    const result = await session.request({ kind: "getParameters", config: {} });
    if (!result.ok) throw new Error(result.failure.cause);
    result.value.release();
    const whole = UPDATE_BYTES / 1e3 / (performance.now() - asked);
    const { bytes, milliseconds } = await link.report();
    rates.push({ wire: bytes / 1e3 / milliseconds, whole });
  }
  await aggregator.close();
  link.stop();
  client.kill();
  return rates;
};

/** The same client, link and question, with grpc-js's server and its 64 KiB window. */
const measureGrpcJs = async (count: number): Promise<Rate[]> => {
  const question = Buffer.concat(encodeServerMessage("flwr", { kind: "getParameters", config: {} }));
  const rates: Rate[] = [];
  let asked = 0;
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  let link: DelayedLink;
  let finish: (error?: Error) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = (error) => (error === undefined ? resolve() : reject(error));
  });
  const bytesOnly = { serialize: (b: Buffer) => b, deserialize: (b: Buffer) => b };
  server.addService(
    {
      join: {
        path: "/flwr.proto.FlowerService/Join",
        requestStream: true,
        responseStream: true,
        requestSerialize: bytesOnly.serialize,
        requestDeserialize: bytesOnly.deserialize,
        responseSerialize: bytesOnly.serialize,
        responseDeserialize: bytesOnly.deserialize,
      },
    },
    {
      join: (call: import("@grpc/grpc-js").ServerDuplexStream<Buffer, Buffer>) => {
        call.on("error", () => {});
        link.mark();
        asked = performance.now();
        call.write(question);
        call.on("data", () => {
          const whole = UPDATE_BYTES / 1e3 / (performance.now() - asked);
          void link.report().then(({ bytes, milliseconds }) => {
            rates.push({ wire: bytes / 1e3 / milliseconds, whole });
            if (rates.length === count) return finish();
            link.mark();
            asked = performance.now();
            call.write(question);
          }, finish);
        });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, p) =>
      error ? reject(error) : resolve(p),
    ),
  );
  link = await startLink(port, 5);
  const client = startFlwr(link.port);
  await finished;
  client.kill();
  server.forceShutdown();
  link.stop();
  return rates;
};

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
};

const round = (value: number): number => Number(value.toPrecision(3));

/**
 * Upload of 44.7 MB from an unmodified flwr 1.11.1 client through 10 ms of round-trip delay, in MB/s: ours against a
 * server with the default window of 64 KiB. Medians of 5 and of 1.
 */
export const benchUpload = async (): Promise<Figure[]> => {
  if (!existsSync(FLWR_PYTHON))
    throw new Error(`flwr 1.11.1 is not installed: ${FLWR_PYTHON}; run test/setup/install.sh`);
  const link = await measureLink();
  const ours = await measureOurs(5);
  const theirs = await measureGrpcJs(1);
  const compare = (name: string, pick: (rate: Rate) => number) => {
    const [value, against] = [median(ours.map(pick)), median(theirs.map(pick))];
    return {
      name,
      value: round(value),
      unit: "MB/s",
      against: { name: "grpc-js's server, 64 KiB window", value: round(against) },
      ratio: round(value / against),
    };
  };
  const wire = compare("upload of 44.7 MB by flwr 1.11.1, 10 ms round trip", (rate) => rate.wire);
  const whole = compare("the same, with what Python does before it sends", (rate) => rate.whole);
  return [
    {
      name: "the delayed link by itself",
      value: round(link),
      unit: "MB/s",
      target: "at least 100 MB/s, or it is the link that is measured",
      met: link >= 100,
    },
    { ...wire, target: "at least 50 MB/s", met: wire.value >= 50 },
    { ...whole, target: "faster", met: whole.ratio > 1 },
  ];
};

interface Load {
  readonly peakBytes: number;
  readonly seconds: number;
  /** How late the server's event loop was, in milliseconds. */
  readonly lateP99: number;
  readonly lateMax: number;
}

/** One round with so many clients of 44.7 MB, server and clients in processes of their own. */
export const measureLoad = async (clients: number, rounds = 1): Promise<Load> => {
  const server = fork(here("./update-server.ts"), [String(clients), String(ELEMENTS), String(rounds)], {
    execArgv: [],
  });
  const { port } = await message<{ port: number }>(server, "listening");
  const done = message<Load>(server, "done");
  const many = fork(here("./many-clients.ts"), [String(port), String(clients), String(ELEMENTS)], {
    execArgv: [],
  });
  const load = await done;
  many.kill();
  return load;
};

/**
 * Peak resident memory of the serving process for 10 and for 100 clients, each with weights down and an update of
 * 44.7 MB up, all at once; and how late its event loop was meanwhile. With 10 clients three times: medians, and the
 * worst moment of all.
 */
export const benchMemory = async (): Promise<Figure[]> => {
  const tens = [await measureLoad(10), await measureLoad(10), await measureLoad(10)];
  const ten: Omit<Load, "seconds"> = {
    peakBytes: median(tens.map((l) => l.peakBytes)),
    lateP99: median(tens.map((l) => l.lateP99)),
    lateMax: Math.max(...tens.map((l) => l.lateMax)),
  };
  const hundred = await measureLoad(100);
  const mb = (bytes: number): number => round(bytes / 1e6);
  const difference = hundred.peakBytes - ten.peakBytes;
  return [
    {
      name: "server's peak memory, 100 clients of 44.7 MB",
      value: mb(hundred.peakBytes),
      unit: "MB",
      against: { name: "10 clients", value: mb(ten.peakBytes) },
      ratio: round(difference / UPDATE_BYTES),
      target: "the difference is less than 1 × one update",
      met: difference < UPDATE_BYTES,
    },
    {
      name: "event loop late at p99, 10 updates of 44.7 MB arriving",
      value: round(ten.lateP99),
      unit: "ms",
      target: "below 30 ms",
      met: ten.lateP99 < 30,
    },
    {
      name: "event loop late at most, 10 updates of 44.7 MB arriving",
      value: round(ten.lateMax),
      unit: "ms",
      target: "below 100 ms",
      met: ten.lateMax < 100,
    },
  ];
};

if (process.argv[1] === import.meta.filename) {
  console.log(renderFigures([...(await benchUpload()), ...(await benchMemory())]));
}
