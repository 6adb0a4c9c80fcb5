import { fileURLToPath } from "node:url";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import fc from "fast-check";
import { BYTES_PER_ELEMENT, DTYPES, type Tensor } from "#contract/tensor.ts";
import type { ConfigOut, Dialect, Scalar, ScalarOut } from "#main/wire/protocol.ts";

/** protobuf.js over resources/proto: an encoder and decoder that shares nothing with ours. */
const load = (file: string, service: string): MethodDefinition<object, object> => {
  const path = fileURLToPath(new URL(`../../../resources/proto/${file}`, import.meta.url));
  const definition = loadSync(path, {
    keepCase: true,
    longs: String,
    defaults: true,
    oneofs: true,
    enums: Number,
  });
  return (definition[service] as Record<string, MethodDefinition<object, object>>).Join!;
};

export const PEER: Readonly<Record<Dialect, MethodDefinition<object, object>>> = {
  transport: load("flower-transport.proto", "flower.transport.FlowerService"),
  flwr: load("flwr.proto", "flwr.proto.FlowerService"),
};

export const tensors: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }), fc.nat(255))
  .map(([dtype, shape, seed]) => {
    const length = shape.reduce((n, d) => n * d, 1) * BYTES_PER_ELEMENT[dtype];
    return { dtype, shape, bytes: Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255) };
  });

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
export const scalars: fc.Arbitrary<ScalarOut> = fc.oneof(
  int64.map((value) => ({ kind: "int", value }) as const),
  fc.integer().map((value) => ({ kind: "int", value }) as const),
  fc.double({ noNaN: true }).map((value) => ({ kind: "double", value }) as const),
  fc.boolean().map((value) => ({ kind: "bool", value }) as const),
  fc.string({ unit: "binary" }).map((value) => ({ kind: "string", value }) as const),
  fc.uint8Array({ maxLength: 600 }).map((value) => ({ kind: "bytes", value }) as const),
);
export const configs: fc.Arbitrary<ConfigOut> = fc.dictionary(fc.string({ unit: "binary" }), scalars, {
  maxKeys: 6,
});

/** What a reader is to make of a value that was sent. */
export const received = (out: ScalarOut): Scalar =>
  out.kind === "int" && typeof out.value === "bigint" && Number.isSafeInteger(Number(out.value))
    ? Number(out.value)
    : out.value;
export const receivedConfig = (config: ConfigOut): Record<string, Scalar> =>
  Object.fromEntries(Object.entries(config).map(([key, out]) => [key, received(out)]));

/** The same value as protobuf.js wants it, and as it gives it back. */
export const peerScalar = (out: ScalarOut): object => {
  if (out.kind === "int") return { sint64: String(out.value) };
  if (out.kind === "bytes") return { bytes: Buffer.from(out.value) };
  return { [out.kind]: out.value };
};
export const peerConfig = (config: ConfigOut): Record<string, object> =>
  Object.fromEntries(Object.entries(config).map(([key, out]) => [key, peerScalar(out)]));
