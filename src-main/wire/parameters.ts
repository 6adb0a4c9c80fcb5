import type { Tensor } from "#contract/tensor.ts";
import { decodeNpy, npyHeader } from "./npy.ts";
import { BYTES, createProtoWriter, type Encoded, type ProtoReader } from "./protobuf.ts";
import { WireError } from "./protocol.ts";

/** Flower's Parameters: the same field numbers in every version. */
const PARAMETERS = { tensors: 1, tensorType: 2 } as const;
const TENSOR_TYPE = "numpy.ndarray";
/** Tensors in one message: far above any real model. */
const MAX_TENSORS = 10_000;

/**
 * Parameters that are encoded once and go into the messages of many clients, of both dialects. Large tensors are
 * views of the tensors they were made of, which must not change while messages are on their way.
 */
export interface SharedParameters {
  readonly kind: "shared-parameters";
  readonly encoded: Encoded;
}

/** Encodes parameters once for all clients of a round; without copying any tensor of 256 bytes or more. */
export const prepareParameters = (tensors: readonly Tensor[]): SharedParameters => {
  const writer = createProtoWriter();
  for (const { dtype, shape, bytes } of tensors)
    writer.bytes(PARAMETERS.tensors, npyHeader(dtype, shape), bytes);
  writer.string(PARAMETERS.tensorType, TENSOR_TYPE);
  return { kind: "shared-parameters", encoded: writer.finish() };
};

export const encodeParameters = (parameters: readonly Tensor[] | SharedParameters): Encoded =>
  "kind" in parameters ? parameters.encoded : prepareParameters(parameters).encoded;

/** What was read of a Parameters message so far; protobuf merges a message that comes in several pieces. */
export interface ParametersDraft {
  readonly tensors: Uint8Array[];
  type: string;
}

export const readParameters = (reader: ProtoReader, into: ParametersDraft): void => {
  for (let field = reader.field(); field; field = reader.field()) {
    if (field.number === PARAMETERS.tensors && field.type === BYTES) {
      into.tensors.push(reader.bytes());
      if (into.tensors.length > MAX_TENSORS)
        throw new WireError("protocol-broken", `the message has more than ${MAX_TENSORS} tensors`);
    } else if (field.number === PARAMETERS.tensorType && field.type === BYTES) into.type = reader.string();
    else reader.skip(field);
  }
};

/** @throws WireError `bad-tensor`, naming the tensor by its place, counted from 0 */
export const finishParameters = (draft: ParametersDraft): readonly Tensor[] => {
  if (draft.type !== TENSOR_TYPE && !(draft.type === "" && draft.tensors.length === 0)) {
    throw new WireError(
      "bad-tensor",
      `the tensors are of type ${JSON.stringify(draft.type.slice(0, 80))}; only ${TENSOR_TYPE} is supported`,
    );
  }
  return draft.tensors.map((bytes, i) => {
    try {
      return decodeNpy(bytes);
    } catch (error) {
      if (error instanceof WireError) throw new WireError(error.code, `tensor ${i}: ${error.message}`);
      throw error;
    }
  });
};
