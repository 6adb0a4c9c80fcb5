import type { Tensor } from "#contract/tensor.ts";
import {
  encodeParameters,
  finishParameters,
  type ParametersDraft,
  readParameters,
  type SharedParameters,
} from "./parameters.ts";
import {
  BYTES,
  createProtoReader,
  createProtoWriter,
  FIXED32,
  type ProtoReader,
  VARINT,
} from "./protobuf.ts";
import {
  type ClientMessage,
  type ClientMessageOut,
  type ConfigOut,
  type Dialect,
  type ReceivedServerMessage,
  type Scalar,
  type ServerMessage,
  type Status,
  WireError,
} from "./protocol.ts";
import { readConfigEntry, toConfig, writeConfig } from "./scalars.ts";

/**
 * Flower's ServerMessage and ClientMessage in both dialects (resources/proto). The dialects differ in their
 * field numbers only, so one reader and one writer work from these tables; 0 stands for a field that a dialect
 * does not have.
 */
const SERVER_FIELDS = {
  transport: { reconnect: 1, getParameters: 2, fit: 3, evaluate: 4, getProperties: 5 },
  flwr: { reconnect: 1, getProperties: 2, getParameters: 3, fit: 4, evaluate: 5 },
} as const satisfies Record<Dialect, Record<ServerMessage["kind"], number>>;

const CLIENT_FIELDS = {
  transport: { disconnect: 1, parameters: 2, fit: 3, evaluate: 4, properties: 5 },
  flwr: { disconnect: 1, properties: 2, parameters: 3, fit: 4, evaluate: 5 },
} as const satisfies Record<Dialect, Record<ClientMessage["kind"], number>>;

interface ReplyFields {
  readonly status: number;
  readonly parameters: number;
  readonly examples: number;
  readonly loss: number;
  readonly named: number;
  /** A float of Flower up to 0.18 that later moved into the metrics, and the name it has there. */
  readonly former: number;
  readonly formerName: string;
}

const NO_FIELDS: ReplyFields = {
  status: 0,
  parameters: 0,
  examples: 0,
  loss: 0,
  named: 0,
  former: 0,
  formerName: "",
};

const REPLY_FIELDS: Readonly<Record<Dialect, Readonly<Record<ClientMessage["kind"], ReplyFields>>>> = {
  transport: {
    disconnect: NO_FIELDS,
    properties: { ...NO_FIELDS, status: 1, named: 2 },
    parameters: { ...NO_FIELDS, parameters: 1 },
    fit: { ...NO_FIELDS, parameters: 1, examples: 2, named: 5, former: 4, formerName: "fit_duration" },
    evaluate: { ...NO_FIELDS, examples: 1, loss: 2, named: 4, former: 3, formerName: "accuracy" },
  },
  flwr: {
    disconnect: NO_FIELDS,
    properties: { ...NO_FIELDS, status: 1, named: 2 },
    parameters: { ...NO_FIELDS, status: 1, parameters: 2 },
    fit: { ...NO_FIELDS, status: 1, parameters: 2, examples: 3, named: 4 },
    evaluate: { ...NO_FIELDS, status: 1, loss: 2, examples: 3, named: 4 },
  },
};

/** A server message whose parameters may have been encoded before, for many clients at once. */
export type OutgoingMessage =
  | ServerMessage
  | {
      readonly kind: "fit" | "evaluate";
      readonly parameters: readonly Tensor[] | SharedParameters;
      readonly config: ConfigOut;
    };

/** @returns chunks whose concatenation is the message; large tensors are views of `message` */
export const encodeServerMessage = (dialect: Dialect, message: OutgoingMessage): readonly Uint8Array[] => {
  const body = createProtoWriter();
  if (message.kind === "reconnect") {
    if (message.seconds !== 0) body.varint(1, message.seconds);
  } else if (message.kind === "getProperties") writeConfig(body, 1, message.config);
  else if (message.kind === "getParameters") {
    // 0.x asks without a configuration.
    if (dialect === "flwr") writeConfig(body, 1, message.config);
  } else {
    body.message(1, encodeParameters(message.parameters));
    writeConfig(body, 2, message.config);
  }
  const writer = createProtoWriter();
  writer.message(SERVER_FIELDS[dialect][message.kind], body.finish());
  return writer.finish().chunks;
};

/** @returns chunks whose concatenation is the message; large tensors are views of `message` */
export const encodeClientMessage = (dialect: Dialect, message: ClientMessageOut): readonly Uint8Array[] => {
  const fields = REPLY_FIELDS[dialect][message.kind];
  const body = createProtoWriter();
  if (message.kind === "disconnect") {
    if (message.reason !== 0) body.varint(1, message.reason);
  } else {
    if (fields.status !== 0) {
      const status = createProtoWriter();
      if (message.status.code !== 0) status.varint(1, message.status.code);
      if (message.status.message !== "") status.string(2, message.status.message);
      body.message(fields.status, status.finish());
    }
    if ("parameters" in message) body.message(fields.parameters, encodeParameters(message.parameters));
    if ("loss" in message && message.loss !== 0) body.float(fields.loss, message.loss);
    if ("examples" in message && message.examples !== 0) body.varint(fields.examples, message.examples);
    if (message.kind === "properties") writeConfig(body, fields.named, message.properties);
    else if ("metrics" in message) writeConfig(body, fields.named, message.metrics);
  }
  const writer = createProtoWriter();
  writer.message(CLIENT_FIELDS[dialect][message.kind], body.finish());
  return writer.finish().chunks;
};

/** Everything that a message of either direction can hold, while it is being read. */
interface Draft<Kind> {
  readonly kind: Kind;
  /** reconnect's seconds or disconnect's reason. */
  number: number;
  examples: number;
  loss: number;
  former: number | undefined;
  readonly status: { code: number; message: string };
  readonly parameters: ParametersDraft;
  readonly named: Map<string, Scalar>;
}

const newDraft = <Kind>(kind: Kind): Draft<Kind> => ({
  kind,
  number: 0,
  examples: 0,
  loss: 0,
  former: undefined,
  status: { code: 0, message: "" },
  parameters: { tensors: [], type: "" },
  named: new Map(),
});

const exactNumber = (value: bigint, what: string): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new WireError("protocol-broken", `${what} is ${value}, which is out of range`);
  return number;
};

/**
 * Reads the oneof at the top of a message: the last field that is set counts; the same one set again is merged, as
 * protobuf does.
 */
const readOneof = <Kind extends string>(
  bytes: Uint8Array,
  numbers: Readonly<Record<Kind, number>>,
  readBody: (reader: ProtoReader, draft: Draft<Kind>) => void,
): Draft<Kind> => {
  const kinds = new Map(Object.entries(numbers).map(([kind, number]) => [number, kind as Kind]));
  const reader = createProtoReader(bytes);
  let draft: Draft<Kind> | undefined;
  for (let field = reader.field(); field; field = reader.field()) {
    const kind = kinds.get(field.number);
    if (kind === undefined || field.type !== BYTES) {
      reader.skip(field);
      continue;
    }
    if (draft?.kind !== kind) draft = newDraft(kind);
    readBody(reader.message(), draft);
  }
  if (draft === undefined) throw new WireError("protocol-broken", "the message is empty");
  return draft;
};

const readStatus = (reader: ProtoReader, into: { code: number; message: string }): void => {
  for (let field = reader.field(); field; field = reader.field()) {
    if (field.number === 1 && field.type === VARINT) into.code = reader.int32();
    else if (field.number === 2 && field.type === BYTES) into.message = reader.string();
    else reader.skip(field);
  }
};

const readReplyBody = (
  fields: ReplyFields,
  reader: ProtoReader,
  draft: Draft<ClientMessage["kind"]>,
): void => {
  for (let field = reader.field(); field; field = reader.field()) {
    const { number, type } = field;
    if (draft.kind === "disconnect") {
      if (number === 1 && type === VARINT) draft.number = reader.int32();
      else reader.skip(field);
    } else if (number === fields.status && type === BYTES) readStatus(reader.message(), draft.status);
    else if (number === fields.parameters && type === BYTES)
      readParameters(reader.message(), draft.parameters);
    else if (number === fields.examples && type === VARINT) {
      draft.examples = exactNumber(reader.int64(), "num_examples");
    } else if (number === fields.loss && type === FIXED32) draft.loss = reader.float();
    else if (number === fields.named && type === BYTES) readConfigEntry(reader.message(), draft.named);
    else if (number === fields.former && type === FIXED32) draft.former = reader.float();
    else reader.skip(field);
  }
};

/**
 * Reads what a client sent. Tensors and bytes values are views of `bytes`. `num_examples_ceil` of Flower up to 0.18
 * is left out; `fit_duration` and `accuracy` of those versions come as metrics of that name.
 * @throws WireError `protocol-broken` for malformed or empty messages, `bad-tensor` for what npy.ts refuses
 */
export const decodeClientMessage = (dialect: Dialect, bytes: Uint8Array): ClientMessage => {
  const draft = readOneof(bytes, CLIENT_FIELDS[dialect], (reader, d) =>
    readReplyBody(REPLY_FIELDS[dialect][d.kind], reader, d),
  );
  const { kind, examples, loss } = draft;
  const status: Status = draft.status;
  const { formerName } = REPLY_FIELDS[dialect][kind];
  if (draft.former !== undefined && !draft.named.has(formerName)) draft.named.set(formerName, draft.former);
  switch (kind) {
    case "disconnect":
      return { kind, reason: draft.number };
    case "properties":
      return { kind, status, properties: toConfig(draft.named) };
    case "parameters":
      return { kind, status, parameters: finishParameters(draft.parameters) };
    case "fit":
      return {
        kind,
        status,
        parameters: finishParameters(draft.parameters),
        examples,
        metrics: toConfig(draft.named),
      };
    case "evaluate":
      return { kind, status, loss, examples, metrics: toConfig(draft.named) };
  }
};

const readInstructionBody = (reader: ProtoReader, draft: Draft<ServerMessage["kind"]>): void => {
  const hasParameters = draft.kind === "fit" || draft.kind === "evaluate";
  for (let field = reader.field(); field; field = reader.field()) {
    const { number, type } = field;
    if (draft.kind === "reconnect") {
      if (number === 1 && type === VARINT) draft.number = exactNumber(reader.int64(), "seconds");
      else reader.skip(field);
    } else if (hasParameters && number === 1 && type === BYTES)
      readParameters(reader.message(), draft.parameters);
    else if (number === (hasParameters ? 2 : 1) && type === BYTES)
      readConfigEntry(reader.message(), draft.named);
    else reader.skip(field);
  }
};

/**
 * Reads what a server sent, for the lab's own client. Tensors and bytes values are views of `bytes`.
 * @throws WireError as decodeClientMessage does
 */
export const decodeServerMessage = (dialect: Dialect, bytes: Uint8Array): ReceivedServerMessage => {
  const draft = readOneof(bytes, SERVER_FIELDS[dialect], readInstructionBody);
  const { kind } = draft;
  const config = toConfig(draft.named);
  if (kind === "reconnect") return { kind, seconds: draft.number };
  if (kind === "fit" || kind === "evaluate") {
    const parameters: readonly Tensor[] = finishParameters(draft.parameters);
    return { kind, parameters, config };
  }
  return { kind, config };
};
