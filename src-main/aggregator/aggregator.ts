import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { Emit } from "#contract/events.ts";
import type { Failure, Result } from "#contract/failure.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import { type Dialect, JOIN_PATHS, MAX_MESSAGE_BYTES, TICKET_HEADER } from "#main/wire/protocol.ts";
import { type Admission, createAdmission, TOKEN_HEADER, type Verdict } from "./admission.ts";
import { askToken } from "./ask-token.ts";
import type { Connection } from "./connection.ts";
import { pause, within } from "./deadline.ts";
import { GRPC, isGrpcCall, refuseCall, refuseRequest } from "./grpc.ts";
import { createJoin, type Join, type Reply, type RequestHooks } from "./join.ts";
import { createEndpoint, type Http2Endpoint, listenOn, type TlsSettings } from "./listener.ts";
import { createRefusalLimit } from "./refusal-limit.ts";
import { createTickets } from "./tickets.ts";
import { createUploadSlots } from "./upload-slots.ts";

/** How long leaving waits for an answer that is still outstanding, and again for the goodbye. */
const LEAVE_DEADLINE_MS = 5000;
/** After the goodbye, before the port closes: clients read their last words. */
const LINGER_MS = 300;

export type { Reply, RequestHooks };

/** One connected device. Strict ping-pong: one request at a time. */
export interface Session {
  /** The ticket's device, or `external-<lowest free number>`. */
  readonly device: string;
  readonly origin: "ticket" | "external";
  readonly dialect: Dialect;
  /** `10.0.0.7:51234`. */
  readonly address: string;
  /** A request is outstanding, also one whose sender has stopped waiting for it. */
  readonly busy: boolean;
  /**
   * Sends one message and waits, without a time limit, for its answer.
   *
   * @returns the reply, whose `release` must be called; or why there is none. Never rejects for what a peer does.
   * @throws Error when the session is busy, which is a bug of the caller
   */
  request(message: OutgoingMessage, hooks?: RequestHooks): Promise<Result<Reply>>;
}

export interface Aggregator {
  /**
   * Opens a port; may be called more than once. Port 0 takes a free one.
   * @throws UserError when the address or the certificate cannot be used
   */
  listen(options: {
    readonly host: string;
    readonly port: number;
    readonly tls?: TlsSettings;
  }): Promise<{ host: string; port: number }>;
  /**
   * Serves one already authenticated channel (an SSH forwarding) as this device, without any port.
   *
   * @param options.token for a channel that others can open, too: whoever speaks there must know it, as `fedfleet-token`
   *   in the call's metadata or as the answer to `get_properties({"want": "join_token"})`
   * @returns cuts it: what is outstanding there fails at once. To be called when the connection that carries the
   *   channel is gone, since a channel of a dead connection may never close.
   */
  accept(channel: Duplex, device: string, options?: { readonly token?: string | undefined }): () => void;
  /**
   * A secret that makes its bearer this device, past any admission, as often as it joins. While one connection
   * lives, a second one with the same ticket takes its place: a device whose network broke rejoins long before
   * the old connection is known to be dead. A new ticket voids the device's earlier one.
   */
  issueTicket(device: string): string;
  /** Voids the ticket; the device's present connection lives on. */
  revokeTicket(device: string): void;
  /** Whoever has joined and is not leaving, in the order of joining. */
  sessions(): readonly Session[];
  /** Called when a session came, went, or became idle. @returns unsubscribes */
  onChange(listener: () => void): () => void;
  /**
   * Sends a device away: waits for its outstanding answer (5 s at most), sends Reconnect, ends the call.
   * @param reconnectSeconds 0 the client ends for good; else it rejoins after so long
   */
  disconnect(device: string, reconnectSeconds?: number): Promise<void>;
  /** Sends everybody away and closes all ports, within `deadlineMs` (default 5 s) and a moment. */
  close(options?: { readonly reconnectSeconds?: number; readonly deadlineMs?: number }): Promise<void>;
}

/** A channel that was handed in, who speaks there, and whether a call on it is let in. */
interface InjectedChannel {
  readonly device: string;
  readonly judge: ReturnType<typeof createAdmission>;
}

interface Member {
  readonly session: Session;
  readonly join: Join;
  leaving: boolean;
}

export const createAggregator = (options: {
  readonly emit: Emit;
  /** Who may join without a ticket. */
  readonly admission: Admission;
  readonly maxMessageBytes?: number;
  /** Messages of a MiB and more that may be in memory at once; default 2. Slow peers: see upload-slots.ts. */
  readonly uploadSlots?: number;
}): Aggregator => {
  const { emit } = options;
  const maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  const judge = createAdmission(options.admission);
  const slots = createUploadSlots(options.uploadSlots ?? 2);
  const tickets = createTickets();
  const mayTell = createRefusalLimit();
  const members = new Map<string, Member>();
  const listeners = new Set<() => void>();
  const endpoints = new Set<Http2Endpoint>();
  let closing = false;

  const changed = (): void => {
    for (const listener of [...listeners]) listener();
  };

  const tellRefusal = (connection: Connection, failure: Failure): void => {
    if (mayTell(connection.ip)) emit({ kind: "device-refused", address: connection.address, failure });
  };

  const freeName = (): string => {
    let n = 1;
    while (members.has(`external-${n}`)) n++;
    return `external-${n}`;
  };

  /** Makes a member of a call, where a token is wanted after the client has given it. */
  const admit = (
    stream: ServerHttp2Stream,
    connection: Connection,
    dialect: Dialect,
    verdict: Exclude<Verdict, { kind: "refuse" }> & { readonly device?: string },
  ): void => {
    let name = verdict.device;
    let member: Member | undefined;
    const join = createJoin({
      stream,
      connection,
      dialect,
      slots,
      maxMessageBytes,
      device: () => name,
      onIdle: () => {
        if (member !== undefined) changed();
      },
      onEnd: (reason) => {
        if (member === undefined || name === undefined) return;
        if (members.get(name) === member) members.delete(name);
        emit({ kind: "device-left", device: name, reason });
        changed();
      },
    });

    const enter = (): void => {
      const device = name ?? freeName();
      name = device;
      members.get(device)?.join.end(GRPC.CANCELLED, "the device joined again on another connection");
      const session: Session = {
        device,
        origin: verdict.device === undefined ? "external" : "ticket",
        dialect,
        address: connection.address,
        get busy() {
          return join.busy;
        },
        request: (message, hooks) => join.request(message, hooks),
      };
      member = { session, join, leaving: false };
      members.set(device, member);
      emit({ kind: "device-joined", device, dialect, address: connection.address });
      changed();
    };

    if (verdict.kind === "welcome") enter();
    else {
      void askToken(join, verdict.token).then((failure) => {
        if (failure !== undefined) {
          tellRefusal(connection, failure);
          join.end(GRPC.PERMISSION_DENIED, failure.cause);
        } else if (join.ended === undefined && !closing) enter();
      });
    }
  };

  /** What becomes of a Join, before anything is said to it. */
  const decide = (
    headers: IncomingHttpHeaders,
    connection: Connection,
    channel: InjectedChannel | undefined,
  ): Verdict & { readonly device?: string } => {
    if (channel !== undefined) {
      const header = headers[TOKEN_HEADER];
      const verdict = channel.judge(undefined, header === undefined ? undefined : String(header));
      return verdict.kind === "refuse" ? verdict : { ...verdict, device: channel.device };
    }
    const ticket = headers[TICKET_HEADER];
    if (ticket !== undefined) {
      const device = tickets.deviceOf(String(ticket));
      if (device !== undefined) return { kind: "welcome", device };
      const cause = "the ticket is unknown or void";
      return { kind: "refuse", failure: { code: "bad-token", stage: "join", cause } };
    }
    const token = headers[TOKEN_HEADER];
    return judge(connection.ip, token === undefined ? undefined : String(token));
  };

  const onCall = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    connection: Connection,
    channel?: InjectedChannel,
  ): void => {
    const path = headers[":path"] ?? "";
    const dialect = Object.hasOwn(JOIN_PATHS, path) ? JOIN_PATHS[path] : undefined;
    if (!isGrpcCall(headers)) refuseRequest(stream, 415);
    else if (dialect === undefined) {
      refuseCall(stream, GRPC.UNIMPLEMENTED, "this server knows FlowerService/Join only");
    } else if (closing) refuseCall(stream, GRPC.UNAVAILABLE, "the server is shutting down");
    else {
      const verdict = decide(headers, connection, channel);
      if (verdict.kind === "refuse") {
        tellRefusal(connection, verdict.failure);
        refuseCall(stream, GRPC.PERMISSION_DENIED, verdict.failure.cause);
      } else admit(stream, connection, dialect, verdict);
    }
  };

  const leave = async (member: Member, reconnectSeconds: number, deadlineMs: number): Promise<void> => {
    member.leaving = true;
    changed();
    const { join } = member;
    await within(deadlineMs, join.idle());
    if (join.busy) return join.end(GRPC.UNAVAILABLE, "sent away before it answered");
    await within(deadlineMs, join.request({ kind: "reconnect", seconds: reconnectSeconds }));
    join.end(GRPC.OK, "sent away");
  };

  return {
    listen: async ({ host, port, tls }) => {
      const endpoint = createEndpoint(onCall, tls);
      const bound = await listenOn(endpoint, host, port);
      endpoints.add(endpoint);
      return bound;
    },
    accept: (channel, device, { token } = {}) => {
      const judge = createAdmission(token === undefined ? { kind: "open" } : { kind: "token", token });
      const endpoint = createEndpoint((s, h, c) => onCall(s, h, c, { device, judge }), undefined, device);
      endpoints.add(endpoint);
      channel.on("error", () => {});
      const over = (): void => {
        endpoints.delete(endpoint);
        endpoint.destroyConnections();
      };
      // A dead SSH connection often shows as an end only; HTTP/2 has no use for half a connection.
      channel.once("end", over);
      channel.once("close", over);
      endpoint.server.emit("connection", channel);
      return over;
    },
    issueTicket: tickets.issue,
    revokeTicket: tickets.revoke,
    sessions: () => [...members.values()].filter((m) => !m.leaving).map((m) => m.session),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    disconnect: async (device, reconnectSeconds = 0) => {
      const member = members.get(device);
      if (member !== undefined && !member.leaving) await leave(member, reconnectSeconds, LEAVE_DEADLINE_MS);
    },
    close: async ({ reconnectSeconds = 0, deadlineMs = LEAVE_DEADLINE_MS } = {}) => {
      closing = true;
      const leaving = [...members.values()].map((member) =>
        member.leaving ? member.join.idle() : leave(member, reconnectSeconds, deadlineMs),
      );
      await Promise.all(leaving);
      if (leaving.length > 0) await pause(LINGER_MS);
      await Promise.all(
        [...endpoints].map(async ({ server, destroyConnections }) => {
          const closed = server.listening
            ? new Promise<void>((resolve) => server.close(() => resolve()))
            : Promise.resolve();
          destroyConnections();
          await within(1000, closed);
        }),
      );
      endpoints.clear();
    },
  };
};
