import { WireError } from "./protocol.ts";

/**
 * gRPC's message framing over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message"): one byte that says
 * whether the message is compressed, four bytes of length (big-endian), the message.
 */
const FRAME_PREFIX_BYTES = 5;

/** Up to here a message's buffer grows by doubling; once this many bytes have arrived, it is allocated whole. */
const EAGER_BYTES = 1 << 20;

const EMPTY = new Uint8Array(0);

const totalBytes = (chunks: readonly Uint8Array[]): number => chunks.reduce((n, c) => n + c.length, 0);

/** The message as chunks, with its prefix in front; the chunks themselves are not copied. */
export const frameMessage = (chunks: readonly Uint8Array[]): Uint8Array[] => {
  const length = totalBytes(chunks);
  if (length > 0xffff_ffff) throw new RangeError(`a message of ${length} bytes does not fit a gRPC frame`);
  const prefix = new Uint8Array(FRAME_PREFIX_BYTES);
  new DataView(prefix.buffer).setUint32(1, length);
  return [prefix, ...chunks];
};

export interface FrameDecoder {
  /**
   * Takes the next bytes off the stream.
   * @returns the messages that became whole, each in one contiguous buffer of its own
   * @throws WireError `message-too-large` or `protocol-broken` (compressed); the decoder cannot be used afterwards
   */
  push(chunk: Uint8Array): Uint8Array[];
  /** Length of the message that is coming in, known as soon as its prefix is; undefined between messages. */
  readonly announced: number | undefined;
  /** Bytes of that message that have arrived, without its prefix. */
  readonly received: number;
  /** Whether the stream stops in the middle of a message, were it to end now. */
  readonly incomplete: boolean;
}

/**
 * Assembles messages from a stream of chunks with one copy (the first MiB is copied twice).
 *
 * Memory follows what has arrived: a peer that announces half a gigabyte and sends nothing costs nothing. After the
 * first MiB the whole buffer is allocated; the system hands out its pages only as they are written.
 *
 * @param options.maxBytes the largest message that is accepted
 */
export const createFrameDecoder = (options: { readonly maxBytes: number }): FrameDecoder => {
  const prefix = new Uint8Array(FRAME_PREFIX_BYTES);
  let prefixBytes = 0;
  let announced: number | undefined;
  let received = 0;
  let body = EMPTY;

  const open = (): void => {
    if (prefix[0] !== 0) {
      throw new WireError(
        "protocol-broken",
        prefix[0] === 1
          ? "compressed messages are not supported"
          : `a gRPC frame begins with byte ${prefix[0]} instead of 0`,
      );
    }
    const length = new DataView(prefix.buffer).getUint32(1);
    if (length > options.maxBytes) {
      throw new WireError(
        "message-too-large",
        `a message of ${length} bytes; at most ${options.maxBytes} are accepted`,
      );
    }
    announced = length;
  };

  const store = (part: Uint8Array): void => {
    const needed = received + part.length;
    if (needed > body.length) {
      const capacity = needed > EAGER_BYTES ? announced! : Math.max(needed, 2 * body.length);
      const grown = new Uint8Array(Math.min(announced!, capacity));
      grown.set(body.subarray(0, received));
      body = grown;
    }
    body.set(part, received);
    received = needed;
  };

  return {
    push: (chunk) => {
      const messages: Uint8Array[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (announced === undefined) {
          const take = Math.min(FRAME_PREFIX_BYTES - prefixBytes, chunk.length - at);
          prefix.set(chunk.subarray(at, at + take), prefixBytes);
          prefixBytes += take;
          at += take;
          if (prefixBytes < FRAME_PREFIX_BYTES) break;
          open();
        }
        const take = Math.min(announced! - received, chunk.length - at);
        if (take > 0) store(chunk.subarray(at, at + take));
        at += take;
        if (received === announced) {
          messages.push(body);
          body = EMPTY;
          announced = undefined;
          received = 0;
          prefixBytes = 0;
        }
      }
      return messages;
    },
    get announced() {
      return announced;
    },
    get received() {
      return received;
    },
    get incomplete() {
      return prefixBytes > 0;
    },
  };
};
