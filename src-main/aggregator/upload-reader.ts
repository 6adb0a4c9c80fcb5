import type { ServerHttp2Stream } from "node:http2";
import { createFrameDecoder } from "#main/wire/framing.ts";
import { WireError } from "#main/wire/protocol.ts";
import type { Connection } from "./connection.ts";
import type { UploadSlot, UploadSlots } from "./upload-slots.ts";

/** Messages up to here need no upload slot: they cost less than the wait. */
const SLOTLESS_BYTES = 1 << 20;

/** Takes one client's messages off its stream: small ones at once, large ones when there is a slot for them. */
export interface UploadReader {
  /**
   * Takes the next bytes.
   * @param limits.maxBytes the largest message that is accepted now
   * @param limits.onSize called once per message, as soon as its size is known
   * @returns the message, once it is whole; `arrived` is to be called next
   * @throws WireError for a message that is too large, or not the only one
   */
  push(
    chunk: Uint8Array,
    limits: { readonly maxBytes: number; readonly onSize: (bytes: number) => void },
  ): Uint8Array | undefined;
  /** Closes the upload of a whole message. @returns gives its slot back, when its memory is free again */
  arrived(): () => void;
  /** Gives back what a message that will never be whole has taken. */
  drop(): void;
  /** Where the stream stops in the middle of a message; undefined between messages. */
  readonly middle: string | undefined;
}

/** @param options.maxBytes the largest message that is ever accepted */
export const createUploadReader = (options: {
  readonly stream: ServerHttp2Stream;
  readonly connection: Connection;
  readonly slots: UploadSlots;
  readonly maxBytes: number;
}): UploadReader => {
  const { stream, connection, slots } = options;
  const decoder = createFrameDecoder({ maxBytes: options.maxBytes });
  let sizeTold = false;
  let slot: UploadSlot | undefined;
  let narrow: (() => void) | undefined;

  const narrowWindow = (): void => {
    narrow?.();
    narrow = undefined;
  };

  const queueForSlot = (): void => {
    stream.pause();
    slot = slots.acquire(() => {
      narrow = connection.widen();
      // Granted at once, the chunk at hand is still being taken in: go on after it.
      setImmediate(() => stream.resume());
    });
  };

  return {
    push: (chunk, { maxBytes, onSize }) => {
      const [message, ...others] = decoder.push(chunk);
      slot?.progress(chunk.length);
      const size = message?.length ?? decoder.announced;
      if (!sizeTold && size !== undefined) {
        sizeTold = true;
        if (size > maxBytes) {
          throw new WireError(
            "message-too-large",
            `an answer of ${size} bytes; at most ${maxBytes} are accepted`,
          );
        }
        onSize(size);
        if (message === undefined && size >= SLOTLESS_BYTES) queueForSlot();
      }
      if (message === undefined) return undefined;
      if (others.length > 0 || decoder.incomplete) {
        throw new WireError("protocol-broken", "sent a second message where one was asked for");
      }
      return message;
    },
    arrived: () => {
      sizeTold = false;
      narrowWindow();
      slot?.arrived();
      const held = slot;
      slot = undefined;
      return () => held?.release();
    },
    drop: () => {
      narrowWindow();
      slot?.release();
      slot = undefined;
    },
    get middle() {
      if (!decoder.incomplete) return undefined;
      const size = decoder.announced === undefined ? "" : ` of ${decoder.announced}`;
      return `in the middle of a message, ${decoder.received}${size} bytes in`;
    },
  };
};
