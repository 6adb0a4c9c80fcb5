import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
} from "#main/wire/messages.ts";
import { npyHeader } from "#main/wire/npy.ts";
import { prepareParameters } from "#main/wire/parameters.ts";
import { createProtoWriter } from "#main/wire/protobuf.ts";
import type { ClientMessageOut, Dialect, ServerMessage } from "#main/wire/protocol.ts";
import { configs, PEER, peerConfig, receivedConfig, tensors } from "./peer.ts";

const DIALECTS: readonly Dialect[] = ["transport", "flwr"];
const join = (chunks: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(chunks));
const npyOf = (t: { dtype: "float32"; shape: readonly number[]; bytes: Uint8Array }): Buffer =>
  Buffer.concat([npyHeader(t.dtype, t.shape), t.bytes]);

const int64 = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const serverMessages: fc.Arbitrary<ServerMessage> = fc.oneof(
  fc.record({ kind: fc.constant("reconnect" as const), seconds: int64 }),
  fc.record({ kind: fc.constant("getProperties" as const), config: configs }),
  fc.record({ kind: fc.constant("getParameters" as const), config: configs }),
  fc.record({
    kind: fc.constantFrom("fit" as const, "evaluate" as const),
    parameters: fc.array(tensors, { maxLength: 4 }),
    config: configs,
  }),
);
const status = fc.record({ code: fc.integer({ min: 0, max: 4 }), message: fc.string({ unit: "binary" }) });
const clientMessages: fc.Arbitrary<ClientMessageOut> = fc.oneof(
  fc.record({ kind: fc.constant("disconnect" as const), reason: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ kind: fc.constant("properties" as const), status, properties: configs }),
  fc.record({
    kind: fc.constant("parameters" as const),
    status,
    parameters: fc.array(tensors, { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant("fit" as const),
    status,
    parameters: fc.array(tensors, { maxLength: 3 }),
    examples: int64,
    metrics: configs,
  }),
  fc.record({
    kind: fc.constant("evaluate" as const),
    status,
    loss: fc.float({ noNaN: true }),
    examples: int64,
    metrics: configs,
  }),
);

/** 0.x carries a status only with properties. */
const statusIn = (dialect: Dialect, m: Exclude<ClientMessageOut, { kind: "disconnect" }>) =>
  dialect === "flwr" || m.kind === "properties" ? m.status : { code: 0, message: "" };

describe.each(DIALECTS)("%s", (dialect) => {
  test("server messages go there and back", () => {
    fc.assert(
      fc.property(serverMessages, (message) => {
        const back = decodeServerMessage(dialect, join(encodeServerMessage(dialect, message)));
        const config =
          !("config" in message) || (dialect === "transport" && message.kind === "getParameters")
            ? {}
            : receivedConfig(message.config);
        expect(back).toEqual("config" in message ? { ...message, config } : message);
      }),
    );
  });

  test("client messages go there and back", () => {
    fc.assert(
      fc.property(clientMessages, (message) => {
        const back = decodeClientMessage(dialect, join(encodeClientMessage(dialect, message)));
        if (message.kind === "disconnect") {
          expect(back).toEqual(message);
          return;
        }
        const expected = {
          ...message,
          status: statusIn(dialect, message),
          ...("metrics" in message ? { metrics: receivedConfig(message.metrics) } : {}),
          ...("properties" in message ? { properties: receivedConfig(message.properties) } : {}),
          // -0 is not told from 0 on the wire, where a default is left out.
          ...("loss" in message ? { loss: message.loss === 0 ? 0 : message.loss } : {}),
        };
        expect(back).toEqual(expected);
      }),
    );
  });

  test("protobuf.js reads our fit and evaluate", () => {
    fc.assert(
      fc.property(fc.constantFrom("fit" as const, "evaluate" as const), configs, (kind, config) => {
        const t = { dtype: "float32" as const, shape: [2], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
        const ours = join(encodeServerMessage(dialect, { kind, parameters: [t, t], config }));
        const theirs = PEER[dialect].responseDeserialize(Buffer.from(ours)) as Record<string, unknown>;
        expect(theirs.msg).toBe(`${kind}_ins`);
        const body = theirs[`${kind}_ins`] as {
          parameters: { tensors: Buffer[]; tensor_type: string };
          config: Record<string, Record<string, unknown>>;
        };
        expect(body.parameters).toEqual({ tensors: [npyOf(t), npyOf(t)], tensor_type: "numpy.ndarray" });
        expect(Object.keys(body.config).sort()).toEqual(Object.keys(config).sort());
        for (const [key, value] of Object.entries(peerConfig(config)))
          expect(body.config[key]).toMatchObject(value);
      }),
    );
  });

  test("protobuf.js reads our other messages", () => {
    const read = (m: ServerMessage) =>
      PEER[dialect].responseDeserialize(Buffer.from(join(encodeServerMessage(dialect, m)))) as Record<
        string,
        unknown
      >;
    const names =
      dialect === "flwr"
        ? ["reconnect_ins", "get_properties_ins", "get_parameters_ins"]
        : ["reconnect", "properties_ins", "get_parameters"];
    const config = { want: { kind: "string", value: "join_token" } } as const;
    expect(read({ kind: "reconnect", seconds: 0 })).toMatchObject({
      msg: names[0],
      [names[0]!]: { seconds: "0" },
    });
    expect(read({ kind: "reconnect", seconds: 5 })).toMatchObject({
      msg: names[0],
      [names[0]!]: { seconds: "5" },
    });
    expect(read({ kind: "getProperties", config })).toMatchObject({
      msg: names[1],
      [names[1]!]: { config: { want: { string: "join_token" } } },
    });
    expect(read({ kind: "getParameters", config: {} })).toMatchObject({ msg: names[2] });
  });

  test("we read what protobuf.js writes for a client", () => {
    const t = { dtype: "float32" as const, shape: [], bytes: Uint8Array.of(0, 0, 128, 63) };
    const parameters = { tensors: [npyOf(t)], tensor_type: "numpy.ndarray" };
    const read = (message: object) =>
      decodeClientMessage(dialect, new Uint8Array(PEER[dialect].requestSerialize(message)));
    const flwr = dialect === "flwr";
    const ok = { code: 0, message: "" };
    fc.assert(
      fc.property(configs, int64, (config, examples) => {
        const metrics = peerConfig(config);
        expect(
          read({
            fit_res: { status: { code: 3, message: "no" }, parameters, num_examples: examples, metrics },
          }),
        ).toEqual({
          kind: "fit",
          status: flwr ? { code: 3, message: "no" } : ok,
          parameters: [t],
          examples,
          metrics: receivedConfig(config),
        });
        expect(read({ evaluate_res: { loss: 0.25, num_examples: examples, metrics } })).toEqual({
          kind: "evaluate",
          status: ok,
          loss: 0.25,
          examples,
          metrics: receivedConfig(config),
        });
        expect(read({ [flwr ? "get_properties_res" : "properties_res"]: { properties: metrics } })).toEqual({
          kind: "properties",
          status: ok,
          properties: receivedConfig(config),
        });
      }),
    );
    expect(read({ [flwr ? "get_parameters_res" : "parameters_res"]: { parameters } })).toMatchObject({
      kind: "parameters",
      parameters: [t],
    });
    expect(read({ [flwr ? "disconnect_res" : "disconnect"]: { reason: 1 } })).toEqual({
      kind: "disconnect",
      reason: 1,
    });
  });

  test("parameters that were prepared once give the same bytes, and are not copied", () => {
    const bytes = new Uint8Array(4000).fill(7);
    const tensor = { dtype: "float32" as const, shape: [1000], bytes };
    const config = { lr: { kind: "double", value: 0.1 } } as const;
    const shared = prepareParameters([tensor]);
    const chunks = encodeServerMessage(dialect, { kind: "fit", parameters: shared, config });
    expect(chunks).toContain(bytes);
    const plain = encodeServerMessage(dialect, { kind: "fit", parameters: [tensor], config });
    expect(plain).toContain(bytes);
    expect(join(chunks)).toEqual(join(plain));
    const reply = { kind: "parameters", status: { code: 0, message: "" }, parameters: [tensor] } as const;
    expect(encodeClientMessage(dialect, reply)).toContain(bytes);
  });

  test("tensors that come in are views of the message", () => {
    const tensor = { dtype: "int64" as const, shape: [], bytes: new Uint8Array(8) };
    const bytes = join(
      encodeClientMessage(dialect, {
        kind: "fit",
        status: { code: 0, message: "" },
        parameters: [tensor],
        examples: 1,
        metrics: {},
      }),
    );
    const back = decodeClientMessage(dialect, bytes);
    expect(back.kind === "fit" && back.parameters[0]?.bytes.buffer === bytes.buffer).toBe(true);
  });
});

test("Flower up to 0.18: the accuracy and the fit duration become metrics, the ceiling is left out", () => {
  const write = (message: object) => PEER.transport.requestSerialize(message);
  const fit = write({
    fit_res: { num_examples: 5, num_examples_ceil: 9, fit_duration: 1.5, parameters: {} },
  });
  expect(decodeClientMessage("transport", fit)).toMatchObject({
    examples: 5,
    metrics: { fit_duration: 1.5 },
  });
  const evaluate = write({ evaluate_res: { num_examples: 5, loss: 2, accuracy: 0.5 } });
  expect(decodeClientMessage("transport", evaluate)).toMatchObject({ loss: 2, metrics: { accuracy: 0.5 } });
  const both = write({
    evaluate_res: { num_examples: 5, accuracy: 0.5, metrics: { accuracy: { double: 0.25 } } },
  });
  expect(decodeClientMessage("transport", both)).toMatchObject({ metrics: { accuracy: 0.25 } });
});

test("unsigned integers of Flower 1.12 and later", () => {
  const read = (value: string) => {
    const message = decodeClientMessage(
      "flwr",
      PEER.flwr.requestSerialize({ evaluate_res: { metrics: { n: { uint64: value } } } }),
    );
    return message.kind === "evaluate" ? message.metrics.n : undefined;
  };
  expect(read("7")).toBe(7);
  expect(read("18446744073709551615")).toBe(18446744073709551615n);
});

describe("what protobuf says of odd encodings", () => {
  const evaluate = (build: (w: ReturnType<typeof createProtoWriter>) => void) => {
    const body = createProtoWriter();
    build(body);
    const writer = createProtoWriter();
    writer.message(5, body.finish());
    return join(writer.finish().chunks);
  };
  const agree = (bytes: Uint8Array) => {
    const ours = decodeClientMessage("flwr", bytes);
    const theirs = PEER.flwr.requestDeserialize(Buffer.from(bytes)) as {
      evaluate_res: { loss: number; num_examples: string };
    };
    if (ours.kind !== "evaluate") throw new Error(ours.kind);
    expect({ loss: ours.loss, num_examples: String(ours.examples) }).toEqual({
      loss: theirs.evaluate_res.loss,
      num_examples: theirs.evaluate_res.num_examples,
    });
    return ours;
  };

  test("the last of a repeated number counts, unknown fields are skipped", () => {
    const bytes = evaluate((w) => {
      w.varint(3, 1);
      w.varint(99, 2n ** 63n);
      w.double(98, 1);
      w.float(97, 1);
      w.string(96, "x");
      w.varint(3, 7);
      w.float(2, 0.5);
    });
    expect(agree(bytes)).toMatchObject({ examples: 7, loss: 0.5 });
  });

  test("a submessage that comes twice is merged", () => {
    const bytes = join([evaluate((w) => w.varint(3, 7)), evaluate((w) => w.float(2, 0.5))]);
    expect(decodeClientMessage("flwr", bytes)).toMatchObject({ examples: 7, loss: 0.5 });
  });

  test("tensors of parameters in two pieces are strung together", () => {
    const t = { dtype: "uint8" as const, shape: [1], bytes: Uint8Array.of(3) };
    const update = (): Uint8Array =>
      join(
        encodeClientMessage("flwr", {
          kind: "fit",
          status: { code: 0, message: "" },
          parameters: [t],
          examples: 1,
          metrics: {},
        }),
      );
    expect(decodeClientMessage("flwr", join([update(), update()]))).toMatchObject({ parameters: [t, t] });
  });

  test("of two kinds of message the last counts", () => {
    const disconnect = join(encodeClientMessage("flwr", { kind: "disconnect", reason: 4 }));
    const bytes = join([evaluate((w) => w.varint(3, 7)), disconnect]);
    expect(decodeClientMessage("flwr", bytes)).toEqual({ kind: "disconnect", reason: 4 });
  });

  test("groups are skipped, and must be closed", () => {
    // Field 50: start group (3), a varint field 1, end group (4).
    const group = Uint8Array.of(0x93, 0x03, 0x08, 0x01, 0x94, 0x03);
    const rest = evaluate((w) => w.varint(3, 7));
    expect(decodeClientMessage("flwr", join([group, rest]))).toMatchObject({ examples: 7 });
    expect(() => decodeClientMessage("flwr", join([group.subarray(0, 4), rest]))).toThrow(/group/);
    expect(() => decodeClientMessage("flwr", join([rest, group.subarray(4)]))).toThrow(/group/);
    const deep = new Uint8Array(2000).fill(0x0b);
    expect(() => decodeClientMessage("flwr", deep)).toThrow(/too deep/);
  });

  test("a field of another wire type is skipped like an unknown one", () => {
    expect(
      decodeClientMessage(
        "flwr",
        evaluate((w) => w.string(3, "7")),
      ),
    ).toMatchObject({ examples: 0 });
  });

  test("a key called __proto__ is a key", () => {
    const metrics = JSON.parse('{"__proto__": {"kind": "int", "value": 1}}');
    const bytes = join(
      encodeClientMessage("flwr", {
        kind: "evaluate",
        status: { code: 0, message: "" },
        loss: 0,
        examples: 1,
        metrics,
      }),
    );
    const back = decodeClientMessage("flwr", bytes);
    expect(back.kind === "evaluate" && Object.keys(back.metrics)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).kind).toBeUndefined();
  });
});

describe("refused", () => {
  const bad = (code: string, pattern: RegExp, bytes: Uint8Array) =>
    expect(() => decodeClientMessage("flwr", bytes)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(pattern) }),
    );
  const wrap = (number: number, body: Uint8Array) => {
    const w = createProtoWriter();
    w.bytes(number, body);
    return join(w.finish().chunks);
  };
  test("an empty message, and one of unknown fields only", () => {
    bad("protocol-broken", /empty/, new Uint8Array(0));
    bad("protocol-broken", /empty/, wrap(77, new Uint8Array(3)));
  });
  test("a value that is none", () => {
    bad(
      "protocol-broken",
      /gives "k" no value/,
      wrap(5, wrap(4, join([wrap(1, Uint8Array.of(0x6b)), wrap(2, new Uint8Array(0))]))),
    );
  });
  test("a text that is not UTF-8", () =>
    bad("protocol-broken", /UTF-8/, wrap(5, wrap(4, wrap(1, Uint8Array.of(0xff))))));
  test("a number of eleven bytes, and one of more than 64 bits", () => {
    bad(
      "protocol-broken",
      /ten bytes|64 bits/,
      wrap(5, join([Uint8Array.of(0x18), new Uint8Array(10).fill(0x80), Uint8Array.of(0)])),
    );
    bad(
      "protocol-broken",
      /64 bits/,
      wrap(5, join([Uint8Array.of(0x18), new Uint8Array(9).fill(0x80), Uint8Array.of(2)])),
    );
  });
  test("a length beyond the end, and one beyond 2^32", () => {
    bad("protocol-broken", /announced/, Uint8Array.of(0x2a, 5, 0));
    bad("protocol-broken", /larger/, Uint8Array.of(0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f));
  });
  test("field number 0 and wire types that do not exist", () => {
    bad("protocol-broken", /valid number/, Uint8Array.of(0x02, 0));
    bad("protocol-broken", /wire type/, Uint8Array.of(0x0e, 0));
  });
  test("more fields than any update has", () =>
    bad("protocol-broken", /fields/, new Uint8Array(500_000).fill(0x08)));
  test("num_examples beyond 2^53", () => {
    const w = createProtoWriter();
    w.varint(3, 2n ** 60n);
    bad("protocol-broken", /num_examples/, wrap(5, join(w.finish().chunks)));
  });
  test("tensors of another type, or of none", () => {
    bad("bad-tensor", /"torch"/, wrap(3, wrap(2, wrap(2, Buffer.from("torch")))));
    bad("bad-tensor", /""/, wrap(3, wrap(2, wrap(1, npyHeader("uint8", [0])))));
    expect(decodeClientMessage("flwr", wrap(3, new Uint8Array(0)))).toMatchObject({ parameters: [] });
  });
  test("a bad tensor is named by its place", () => {
    const type = wrap(2, Buffer.from("numpy.ndarray"));
    bad(
      "bad-tensor",
      /^tensor 1: /,
      wrap(3, wrap(2, join([wrap(1, npyHeader("uint8", [0])), wrap(1, npyHeader("uint8", [1])), type]))),
    );
  });
  test("cut off anywhere", () => {
    const whole = join(
      encodeClientMessage("flwr", {
        kind: "fit",
        status: { code: 0, message: "ok" },
        parameters: [{ dtype: "uint8", shape: [2], bytes: Uint8Array.of(1, 2) }],
        examples: 300,
        metrics: { a: { kind: "string", value: "b" } },
      }),
    );
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeClientMessage("flwr", whole.subarray(0, length))).toThrow();
    }
  });
});
