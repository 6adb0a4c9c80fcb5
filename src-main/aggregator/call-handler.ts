import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Emit } from "#contract/events.ts";
import type { Failure } from "#contract/failure.ts";
import { type Dialect, JOIN_PATHS, TICKET_HEADER } from "#main/wire/protocol.ts";
import { type Admission, createAdmission, TOKEN_HEADER, type Verdict } from "./admission.ts";
import { askToken } from "./ask-token.ts";
import type { Connection } from "./connection.ts";
import { GRPC, isGrpcCall, refuseCall, refuseRequest } from "./grpc.ts";
import { createJoin } from "./join.ts";
import type { Identity, Members } from "./members.ts";
import { createRefusalLimit } from "./refusal-limit.ts";
import type { Tickets } from "./tickets.ts";
import type { UploadSlots } from "./upload-slots.ts";

/** A channel that was handed in: which device speaks there, and whether a call on it is let in. */
interface InjectedChannel {
  readonly device: string;
  readonly judge: ReturnType<typeof createAdmission>;
}

export type CallHandler = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  connection: Connection,
  channel?: InjectedChannel,
) => void;

/** What becomes of a call, and as whom its client joins. */
type Entry = { readonly verdict: Verdict; readonly identity: Identity };

const tokenOf = (headers: IncomingHttpHeaders): string | undefined => {
  const token = headers[TOKEN_HEADER];
  return token === undefined ? undefined : String(token);
};

/**
 * Handles every call that comes in: refuses what is not a Join, decides who may join, asks for the join token where
 * one is needed, and makes the client a member.
 *
 * @param options.admission who may join without a ticket
 * @param options.isClosing whether the server is shutting down, so that no new client may join
 */
export const createCallHandler = (options: {
  readonly emit: Emit;
  readonly admission: Admission;
  readonly tickets: Tickets;
  readonly members: Members;
  readonly slots: UploadSlots;
  readonly maxMessageBytes: number;
  readonly isClosing: () => boolean;
}): CallHandler => {
  const { emit, tickets, members, slots, maxMessageBytes, isClosing } = options;
  const judge = createAdmission(options.admission);
  const mayTell = createRefusalLimit();

  const tellRefusal = (connection: Connection, failure: Failure): void => {
    if (mayTell(connection.ip)) emit({ kind: "device-refused", address: connection.address, failure });
  };

  const decide = (
    headers: IncomingHttpHeaders,
    connection: Connection,
    channel: InjectedChannel | undefined,
  ): Entry => {
    if (channel !== undefined) {
      const { device } = channel;
      return { verdict: channel.judge(undefined, tokenOf(headers)), identity: { crew: "board", device } };
    }
    const ticket = headers[TICKET_HEADER];
    if (ticket === undefined) {
      return { verdict: judge(connection.ip, tokenOf(headers)), identity: { crew: "external" } };
    }
    const device = tickets.deviceOf(String(ticket));
    return device === undefined
      ? { verdict: { kind: "refuse", failure: VOID_TICKET }, identity: { crew: "external" } }
      : { verdict: { kind: "welcome" }, identity: { crew: "virtual", device } };
  };

  /** Opens the call; its client becomes a member at once, or after it has given the token. */
  const admit = (
    stream: ServerHttp2Stream,
    connection: Connection,
    dialect: Dialect,
    { verdict, identity }: Entry & { readonly verdict: Exclude<Verdict, { kind: "refuse" }> },
  ): void => {
    const join = createJoin({
      stream,
      connection,
      dialect,
      slots,
      maxMessageBytes,
      device: () => members.deviceOf(join) ?? deviceOf(identity),
      onIdle: () => members.becameIdle(join),
      onEnd: (reason) => members.left(join, reason),
    });
    if (verdict.kind === "welcome") {
      members.enter(join, identity);
      return;
    }
    void askToken(join, verdict.token).then((failure) => {
      if (failure !== undefined) {
        tellRefusal(connection, failure);
        join.end(GRPC.PERMISSION_DENIED, failure.cause);
      } else if (join.ended === undefined && !isClosing()) members.enter(join, identity);
    });
  };

  return (stream, headers, connection, channel) => {
    const path = headers[":path"] ?? "";
    const dialect = Object.hasOwn(JOIN_PATHS, path) ? JOIN_PATHS[path] : undefined;
    if (!isGrpcCall(headers)) return refuseRequest(stream, 415);
    if (dialect === undefined) {
      return refuseCall(stream, GRPC.UNIMPLEMENTED, "this server offers FlowerService/Join only");
    }
    if (isClosing()) return refuseCall(stream, GRPC.UNAVAILABLE, "the server is shutting down");
    const { verdict, identity } = decide(headers, connection, channel);
    if (verdict.kind === "refuse") {
      tellRefusal(connection, verdict.failure);
      return refuseCall(stream, GRPC.PERMISSION_DENIED, verdict.failure.cause);
    }
    admit(stream, connection, dialect, { verdict, identity });
  };
};

const deviceOf = (identity: Identity): string | undefined =>
  identity.crew === "external" ? undefined : identity.device;

const VOID_TICKET: Failure = { code: "bad-token", stage: "join", cause: "the ticket is unknown or void" };
