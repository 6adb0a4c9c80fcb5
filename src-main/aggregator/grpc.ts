import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";

/** The gRPC status codes (grpc/doc/statuscodes.md) that this server uses. */
export const GRPC = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
} as const;
export type GrpcStatus = (typeof GRPC)[keyof typeof GRPC];

/** How long a peer may take to read the final status before its stream is reset. */
const STATUS_DEADLINE_MS = 1000;
/** grpc-message travels as a header, and a header that is too long makes the peer refuse the whole answer. */
const MAX_MESSAGE_CHARACTERS = 500;

/** Percent-encoding of grpc-message: all but printable ASCII, and the percent sign. */
const percentEncode = (text: string): string => {
  let encoded = "";
  for (const byte of Buffer.from(text.slice(0, MAX_MESSAGE_CHARACTERS), "utf8")) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
};

const trailers = (status: GrpcStatus, message: string): Record<string, string> => ({
  "grpc-status": String(status),
  ...(message === "" ? {} : { "grpc-message": percentEncode(message) }),
});

/** Whether the request is a gRPC call at all; anything else gets an HTTP error, as the gRPC specification says. */
export const isGrpcCall = (headers: IncomingHttpHeaders): boolean =>
  headers[":method"] === "POST" && (headers["content-type"] ?? "").startsWith("application/grpc");

const quietly = (action: () => void): void => {
  try {
    action();
  } catch {
    // The stream has closed in between: the status can no longer be sent.
  }
};

/** Resets the stream if the peer has not read the final status in time. */
const resetLater = (stream: ServerHttp2Stream): void => {
  stream.on("data", () => {});
  stream.resume();
  const timer = setTimeout(() => {
    if (!stream.destroyed) quietly(() => stream.close(constants.NGHTTP2_CANCEL));
  }, STATUS_DEADLINE_MS);
  timer.unref();
  stream.once("close", () => clearTimeout(timer));
};

/** Refuses a call: one header block with the status, and nothing else. */
export const refuseCall = (stream: ServerHttp2Stream, status: GrpcStatus, message: string): void => {
  if (stream.destroyed || stream.headersSent) return;
  quietly(() =>
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", ...trailers(status, message) },
      { endStream: true },
    ),
  );
  resetLater(stream);
};

/** Answers something that is not gRPC. */
export const refuseRequest = (stream: ServerHttp2Stream, httpStatus: number): void => {
  if (stream.destroyed || stream.headersSent) return;
  quietly(() => stream.respond({ ":status": httpStatus }, { endStream: true }));
  resetLater(stream);
};

/** Opens the answer of a call; the status follows in its trailers, see `endCall`. */
export const acceptCall = (stream: ServerHttp2Stream): void => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
};

/** Ends an accepted call with its status. What the peer still sends is read and dropped. */
export const endCall = (stream: ServerHttp2Stream, status: GrpcStatus, message = ""): void => {
  if (stream.destroyed || stream.writableEnded) return;
  stream.once("wantTrailers", () => quietly(() => stream.sendTrailers(trailers(status, message))));
  quietly(() => stream.end());
  resetLater(stream);
};
