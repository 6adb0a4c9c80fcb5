import type { Tensor } from "#contract/tensor.ts";

/**
 * The two spellings of Flower's bidirectional protocol. "transport" is `flower.transport` of Flower 0.15 to 0.19,
 * "flwr" is `flwr.proto` of Flower 1.x. Field numbers differ; the messages below exist in both.
 */
export type Dialect = "transport" | "flwr";

export const JOIN_PATHS: Readonly<Record<string, Dialect>> = {
  "/flower.transport.FlowerService/Join": "transport",
  "/flwr.proto.FlowerService/Join": "flwr",
};

/** Flower's own limit on one message, in bytes, for both directions. */
export const MAX_MESSAGE_BYTES = 536_870_912;

/** Metadata with which the lab's own clients name themselves; foreign Flower clients send none. */
export const TICKET_HEADER = "fedfleet-ticket";

/** Flower's Scalar. `int` is sint64 on the wire (zig-zag); values beyond 2^53 arrive as bigint. */
export type Scalar = number | bigint | boolean | string | Uint8Array;

/** A configuration value to send: Python reads `int` as int and `double` as float, so the sender says which. */
export type ScalarOut =
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "double"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Uint8Array };

export type ConfigOut = Readonly<Record<string, ScalarOut>>;
export type Config = Readonly<Record<string, Scalar>>;

export type ServerMessage =
  | { readonly kind: "reconnect"; readonly seconds: number }
  | { readonly kind: "getProperties"; readonly config: ConfigOut }
  | { readonly kind: "getParameters"; readonly config: ConfigOut }
  | { readonly kind: "fit"; readonly parameters: readonly Tensor[]; readonly config: ConfigOut }
  | { readonly kind: "evaluate"; readonly parameters: readonly Tensor[]; readonly config: ConfigOut };

/** A status of Flower 1.x (0 OK); 0.x messages carry none and count as OK. */
export interface Status {
  readonly code: number;
  readonly message: string;
}

export type ClientMessage =
  | { readonly kind: "disconnect"; readonly reason: number }
  | { readonly kind: "properties"; readonly status: Status; readonly properties: Config }
  | { readonly kind: "parameters"; readonly status: Status; readonly parameters: readonly Tensor[] }
  | {
      readonly kind: "fit";
      readonly status: Status;
      readonly parameters: readonly Tensor[];
      readonly examples: number;
      readonly metrics: Config;
    }
  | {
      readonly kind: "evaluate";
      readonly status: Status;
      readonly loss: number;
      readonly examples: number;
      readonly metrics: Config;
    };

/** As ServerMessage, when received by the lab's own client: the configuration is plain values. */
export type ReceivedServerMessage =
  | { readonly kind: "reconnect"; readonly seconds: number }
  | { readonly kind: "getProperties"; readonly config: Config }
  | { readonly kind: "getParameters"; readonly config: Config }
  | { readonly kind: "fit"; readonly parameters: readonly Tensor[]; readonly config: Config }
  | { readonly kind: "evaluate"; readonly parameters: readonly Tensor[]; readonly config: Config };

/** As ClientMessage, to send. */
export type ClientMessageOut =
  | { readonly kind: "disconnect"; readonly reason: number }
  | { readonly kind: "properties"; readonly status: Status; readonly properties: ConfigOut }
  | { readonly kind: "parameters"; readonly status: Status; readonly parameters: readonly Tensor[] }
  | {
      readonly kind: "fit";
      readonly status: Status;
      readonly parameters: readonly Tensor[];
      readonly examples: number;
      readonly metrics: ConfigOut;
    }
  | {
      readonly kind: "evaluate";
      readonly status: Status;
      readonly loss: number;
      readonly examples: number;
      readonly metrics: ConfigOut;
    };

/** Bytes that break the protocol. The connection that they came on is closed; no other is affected. */
export class WireError extends Error {
  readonly code: "protocol-broken" | "bad-tensor" | "message-too-large";
  constructor(code: WireError["code"], message: string) {
    super(message);
    this.name = "WireError";
    this.code = code;
  }
}
