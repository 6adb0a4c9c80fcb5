import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  Client,
  type ClientDuplexStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { npyHeader } from "#main/wire/npy.ts";
import { type Dialect, TICKET_HEADER } from "#main/wire/protocol.ts";
import { until } from "./raw-client.ts";
import { startServer } from "./server.ts";

/** grpc-js with protobuf.js: a client that shares no line with our server. */
const FILES: Readonly<Record<Dialect, string>> = { transport: "flower-transport.proto", flwr: "flwr.proto" };
const serviceOf = (dialect: Dialect): ServiceClientConstructor => {
  const path = fileURLToPath(new URL(`../../../resources/proto/${FILES[dialect]}`, import.meta.url));
  const root = loadPackageDefinition(
    loadSync(path, { keepCase: true, longs: String, oneofs: true }),
  ) as unknown as {
    flower: { transport: { FlowerService: ServiceClientConstructor } };
    flwr: { proto: { FlowerService: ServiceClientConstructor } };
  };
  return dialect === "transport" ? root.flower.transport.FlowerService : root.flwr.proto.FlowerService;
};
type Call = ClientDuplexStream<object, { msg: string; [field: string]: unknown }>;

const open = (dialect: Dialect, address: string, options: { ca?: Buffer; metadata?: Metadata } = {}) => {
  const secure = options.ca === undefined ? credentials.createInsecure() : credentials.createSsl(options.ca);
  const client = new (serviceOf(dialect))(address, secure, { "grpc.max_receive_message_length": -1 });
  const call = client.Join!(options.metadata ?? new Metadata()) as unknown as Call;
  call.on("error", () => {});
  const status = new Promise<{ code: number; details: string }>((resolve) => call.on("status", resolve));
  return {
    client,
    call,
    status,
    next: () => new Promise<{ msg: string; [f: string]: unknown }>((r) => call.once("data", r)),
  };
};

describe.each(["transport", "flwr"] as const)("%s", (dialect) => {
  test("a round with grpc-js", async () => {
    const server = await startServer();
    const peer = open(dialect, `127.0.0.1:${server.port}`);
    await until("it is in", () => server.aggregator.sessions().length === 1);
    const session = server.aggregator.sessions()[0]!;
    const tensor = {
      dtype: "float32",
      shape: [1_500_000],
      bytes: new Uint8Array(6_000_000).fill(1),
    } as const;
    const fit = session.request({
      kind: "fit",
      parameters: [tensor],
      config: { n: { kind: "int", value: -7 } },
    });
    const message = await peer.next();
    expect(message.msg).toBe("fit_ins");
    const ins = message.fit_ins as {
      parameters: { tensors: Buffer[] };
      config: Record<string, { sint64: string }>;
    };
    expect(ins.config.n!.sint64).toBe("-7");
    expect(
      ins.parameters.tensors[0]!.equals(Buffer.concat([npyHeader("float32", [1_500_000]), tensor.bytes])),
    ).toBe(true);
    peer.call.write({
      fit_res: { parameters: ins.parameters, num_examples: 12, metrics: { loss: { double: 0.5 } } },
    });
    const result = await fit;
    if (!result.ok || result.value.message.kind !== "fit") throw new Error("no fit");
    expect(result.value.message).toMatchObject({ examples: 12, metrics: { loss: 0.5 } });
    expect(Buffer.compare(result.value.message.parameters[0]!.bytes, tensor.bytes)).toBe(0);
    result.value.release();
    const gone = server.aggregator.disconnect(session.device);
    expect(await peer.next()).toMatchObject({ msg: dialect === "flwr" ? "reconnect_ins" : "reconnect" });
    peer.call.write({ [dialect === "flwr" ? "disconnect_res" : "disconnect"]: { reason: 1 } });
    await gone;
    expect(await peer.status).toMatchObject({ code: 0 });
    peer.client.close();
  });

  test("a break of the protocol is told with INVALID_ARGUMENT", async () => {
    const server = await startServer();
    const peer = open(dialect, `127.0.0.1:${server.port}`);
    await until("it is in", () => server.aggregator.sessions().length === 1);
    peer.call.write({ fit_res: {} });
    expect(await peer.status).toMatchObject({ code: 3, details: "sent a message without a request" });
    peer.client.close();
  });

  test("too large is told with RESOURCE_EXHAUSTED", async () => {
    const server = await startServer({ maxMessageBytes: 100_000 });
    const peer = open(dialect, `127.0.0.1:${server.port}`);
    await until("it is in", () => server.aggregator.sessions().length === 1);
    const answer = server.aggregator.sessions()[0]!.request({ kind: "getParameters", config: {} });
    await peer.next();
    peer.call.write({ fit_res: { parameters: { tensors: [Buffer.alloc(5_000_000)] } } });
    expect(await answer).toMatchObject({ ok: false, failure: { code: "message-too-large" } });
    expect(await peer.status).toMatchObject({ code: 8 });
    peer.client.close();
  });

  test("a wrong ticket is told with PERMISSION_DENIED", async () => {
    const server = await startServer();
    const metadata = new Metadata();
    metadata.set(TICKET_HEADER, "wrong");
    const peer = open(dialect, `127.0.0.1:${server.port}`, { metadata });
    expect(await peer.status).toMatchObject({ code: 7, details: "the ticket is unknown or void" });
    peer.client.close();
  });
});

test("an unknown method is told with UNIMPLEMENTED", async () => {
  const server = await startServer();
  const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
  const error = await new Promise<{ code?: number } | null>((resolve) =>
    client.makeUnaryRequest(
      "/flwr.proto.Fleet/CreateNode",
      (b: Buffer) => b,
      (b) => b,
      Buffer.alloc(0),
      (e) => resolve(e),
    ),
  );
  expect(error?.code).toBe(12);
  client.close();
});

const openssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!openssl && process.env.CI !== "true")(openssl ? "TLS" : "TLS (needs openssl)", () => {
  const folder = mkdtempSync(join(tmpdir(), "fedfleet-tls-"));
  const file = (name: string): string => join(folder, name);
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeAll(() => {
    const command =
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost " +
      "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout";
    const args = [...command.split(" "), file("key.pem"), "-out", file("cert.pem")];
    execFileSync("openssl", args, { stdio: "ignore" });
  });

  test("grpc-js joins with the certificate, and cannot without", async () => {
    const server = await startServer();
    const tls = { cert: readFileSync(file("cert.pem")), key: readFileSync(file("key.pem")) };
    const { port } = await server.aggregator.listen({ host: "127.0.0.1", port: 0, tls });
    const peer = open("flwr", `localhost:${port}`, { ca: tls.cert });
    await until("it is in", () => server.aggregator.sessions().length === 1);
    const answer = server.aggregator.sessions()[0]!.request({ kind: "getParameters", config: {} });
    await peer.next();
    const tensors = [Buffer.concat([npyHeader("uint8", [3_000_000]), Buffer.alloc(3_000_000, 5)])];
    peer.call.write({ get_parameters_res: { parameters: { tensors, tensor_type: "numpy.ndarray" } } });
    const result = await answer;
    if (!result.ok || result.value.message.kind !== "parameters") throw new Error("no parameters");
    expect(result.value.message.parameters[0]!.shape).toEqual([3_000_000]);
    result.value.release();
    peer.client.close();

    const plain = open("flwr", `127.0.0.1:${port}`);
    expect((await plain.status).code).toBe(14);
    plain.client.close();
  });
});
