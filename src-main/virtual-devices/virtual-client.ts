import type { Slots } from "#contract/slots.ts";
import { encodeClientMessage } from "#main/wire/messages.ts";
import { type ClientMessageOut, type Dialect, WireError } from "#main/wire/protocol.ts";
import type { Clock } from "./device-rooms.ts";
import type { DeviceTasks } from "./device-tasks.ts";
import { type FlowerConnection, type Incoming, joinServer } from "./flower-connection.ts";

/** Reason of Flower's Disconnect message when the server asked for it. */
const REASON_RECONNECT = 1;
/** After a simulated drop-out, in milliseconds. */
const REJOIN_AFTER_DROP_MS = 1000;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5000;

interface VirtualClientOptions {
  readonly server: { readonly host: string; readonly port: number };
  readonly dialect: Dialect;
  readonly ticket: string;
  readonly tasks: DeviceTasks;
  /** Large messages come in only with a slot of these. */
  readonly compute: Slots;
  readonly clock: Clock;
  /** Ends the client. */
  readonly stop: AbortSignal;
  /** An answer to fit or evaluate has left. */
  readonly onAnswered: () => void;
}

type Ending =
  /** The server said goodbye. */
  | { readonly kind: "over" }
  /** Join again, after this many milliseconds. */
  | { readonly kind: "rejoin"; readonly afterMs: number }
  /** The connection broke; `heard` if any message had come over it. */
  | { readonly kind: "broken"; readonly heard: boolean };

/**
 * One virtual device as a Flower client: joins, answers one message after the other, leaves when the server says
 * Reconnect 0, comes back N seconds after Reconnect N. When its connection breaks it connects again, after 0.2 s at
 * first and every 5 s later on: unlike Flower's own clients, a virtual device does not die of it.
 *
 * Resolves when the server has sent the device away, or `stop` aborts.
 */
export const runVirtualClient = async (options: VirtualClientOptions): Promise<void> => {
  let retryMs = FIRST_RETRY_MS;
  while (!options.stop.aborted) {
    const connection = joinServer({
      server: options.server,
      dialect: options.dialect,
      ticket: options.ticket,
      admit: (_bytes, signal) => options.compute.acquire(signal),
    });
    const onStop = () => connection.cut();
    options.stop.addEventListener("abort", onStop, { once: true });
    const ending = await converse(connection, options);
    options.stop.removeEventListener("abort", onStop);
    if (ending.kind === "over") return;
    if (ending.kind === "broken") {
      connection.cut();
      retryMs = ending.heard ? FIRST_RETRY_MS : Math.min(retryMs * 2, LAST_RETRY_MS);
    }
    await options.clock.sleep(ending.kind === "rejoin" ? ending.afterMs : retryMs, options.stop);
  }
};

const converse = async (connection: FlowerConnection, options: VirtualClientOptions): Promise<Ending> => {
  for (let heard = false; ; heard = true) {
    const incoming = await connection.receive();
    if (incoming === undefined) return { kind: "broken", heard };
    const ending = await answerOne(connection, incoming, options);
    if (ending !== undefined) return ending;
  }
};

/**
 * Answers one message. A function of its own, so that no update stays alive in the frame of a device that waits for
 * its next instruction.
 * @returns how the conversation ends, or undefined when it goes on
 */
const answerOne = async (
  connection: FlowerConnection,
  incoming: Incoming,
  options: VirtualClientOptions,
): Promise<Ending | undefined> => {
  const { dialect, tasks } = options;
  try {
    const outcome = await tasks.carryOut(incoming, dialect, connection.closed, () => connection.cut());
    switch (outcome.kind) {
      case "lost":
        return { kind: "broken", heard: true };
      case "dropped":
        return { kind: "rejoin", afterMs: REJOIN_AFTER_DROP_MS };
      case "reconnect": {
        const goodbye: ClientMessageOut = { kind: "disconnect", reason: REASON_RECONNECT };
        // The server may be gone before it has read the answer; that is a goodbye all the same.
        await connection.send(encodeClientMessage(dialect, goodbye)).catch(() => {});
        await connection.end();
        return outcome.seconds <= 0 ? { kind: "over" } : { kind: "rejoin", afterMs: outcome.seconds * 1000 };
      }
      case "answer":
        try {
          // Flower 0.x has no status for a failure: its clients fail by dying.
          if (dialect === "transport" && failed(outcome.message)) return { kind: "broken", heard: true };
          await connection.send(encodeClientMessage(dialect, outcome.message));
        } finally {
          outcome.sent();
        }
        if (outcome.message.kind === "fit" || outcome.message.kind === "evaluate") options.onAnswered();
        return undefined;
    }
  } catch (error) {
    // Bytes that are no message, or a connection that ended while it was used; anything else is a bug.
    if (error instanceof WireError || connection.closed.aborted) return { kind: "broken", heard: true };
    throw error;
  } finally {
    incoming.slot?.();
  }
};

const failed = (message: ClientMessageOut): boolean => "status" in message && message.status.code !== 0;
