import type { Duplex } from "node:stream";
import type { Emit } from "#contract/events.ts";
import { MAX_MESSAGE_BYTES } from "#main/wire/protocol.ts";
import { type Admission, createAdmission } from "./admission.ts";
import { type CallHandler, createCallHandler } from "./call-handler.ts";
import { pause } from "./deadline.ts";
import { closeEndpoint, createEndpoint, type Http2Endpoint, listenOn, type TlsSettings } from "./listener.ts";
import { createMembers } from "./members.ts";
import type { Reply } from "./reply.ts";
import type { Session } from "./session.ts";
import { createTickets } from "./tickets.ts";
import { createUploadSlots } from "./upload-slots.ts";

/** How long leaving waits for an answer that is still outstanding, and again for the goodbye. */
const LEAVE_DEADLINE_MS = 5000;
/** After the goodbye, before the port closes: time for clients to read it. */
const LINGER_MS = 300;

export type { Reply, Session };

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
   * @param options.token for a channel that others can open, too: the client there must give it, as `fedfleet-token`
   *   in the call's metadata or as the answer to `get_properties({"want": "join_token"})`
   * @returns cuts the channel: what is outstanding there fails at once. To be called when the connection that carries
   *   the channel is gone, since a channel of a dead connection may never close.
   */
  accept(channel: Duplex, device: string, options?: { readonly token?: string | undefined }): () => void;
  /**
   * A secret that makes its bearer this virtual device, past any admission, each time it joins. While one connection
   * lives, a second one with the same ticket takes its place: a device whose network broke rejoins long before the
   * old connection is known to be dead. A new ticket voids the device's earlier one.
   */
  issueTicket(device: string): string;
  /** Voids the ticket; the device's present connection lives on. */
  revokeTicket(device: string): void;
  /** The devices that have joined and are not leaving, in the order of joining. */
  sessions(): readonly Session[];
  /** Called when a session came, went, or became idle. @returns unsubscribes */
  onChange(listener: () => void): () => void;
  /**
   * Sends a device away: waits for its outstanding answer (5 s at most), sends Reconnect, ends the call.
   * @param reconnectSeconds 0 the client ends for good; else it rejoins after this many seconds
   */
  disconnect(device: string, reconnectSeconds?: number): Promise<void>;
  /** Sends all devices away and closes all ports, within `deadlineMs` (default 5 s) and a moment. */
  close(options?: { readonly reconnectSeconds?: number; readonly deadlineMs?: number }): Promise<void>;
}

/** The Flower-compatible server: who has joined, and how to ask them. */
export const createAggregator = (options: {
  readonly emit: Emit;
  /** Who may join without a ticket. */
  readonly admission: Admission;
  readonly maxMessageBytes?: number;
  /** Messages of a MiB and more that may be in memory at once; default 2. Slow peers: see upload-slots.ts. */
  readonly uploadSlots?: number;
}): Aggregator => {
  const { emit, admission, maxMessageBytes = MAX_MESSAGE_BYTES } = options;
  const tickets = createTickets();
  const members = createMembers(emit);
  const endpoints = new Set<Http2Endpoint>();
  let closing = false;
  const onCall = createCallHandler({
    emit,
    admission,
    tickets,
    members,
    slots: createUploadSlots(options.uploadSlots ?? 2),
    maxMessageBytes,
    isClosing: () => closing,
  });

  return {
    listen: async ({ host, port, tls }) => {
      const endpoint = createEndpoint(onCall, tls);
      const bound = await listenOn(endpoint, host, port);
      endpoints.add(endpoint);
      return bound;
    },
    accept: (channel, device, { token } = {}) => acceptChannel(onCall, endpoints, { channel, device, token }),
    issueTicket: tickets.issue,
    revokeTicket: tickets.revoke,
    sessions: () =>
      members
        .all()
        .filter((m) => !m.leaving)
        .map((m) => m.session),
    onChange: members.onChange,
    disconnect: async (device, reconnectSeconds = 0) => {
      const member = members.find(device);
      if (member === undefined || member.leaving) return;
      await members.sendAway(member, reconnectSeconds, LEAVE_DEADLINE_MS);
    },
    close: async ({ reconnectSeconds = 0, deadlineMs = LEAVE_DEADLINE_MS } = {}) => {
      closing = true;
      const leaving = members
        .all()
        .map((m) => (m.leaving ? m.join.idle() : members.sendAway(m, reconnectSeconds, deadlineMs)));
      await Promise.all(leaving);
      if (leaving.length > 0) await pause(LINGER_MS);
      await Promise.all([...endpoints].map(closeEndpoint));
      endpoints.clear();
    },
  };
};

/** Serves one channel. @returns cuts it */
const acceptChannel = (
  onCall: CallHandler,
  endpoints: Set<Http2Endpoint>,
  {
    channel,
    device,
    token,
  }: { readonly channel: Duplex; readonly device: string; readonly token: string | undefined },
): (() => void) => {
  const judge = createAdmission(token === undefined ? { kind: "open" } : { kind: "token", token });
  const endpoint = createEndpoint((s, h, c) => onCall(s, h, c, { device, judge }), undefined, device);
  endpoints.add(endpoint);
  channel.on("error", () => {});
  const cut = (): void => {
    endpoints.delete(endpoint);
    endpoint.destroyConnections();
  };
  // A dead SSH connection often shows as an end only; HTTP/2 has no use for half a connection.
  channel.once("end", cut);
  channel.once("close", cut);
  endpoint.server.emit("connection", channel);
  return cut;
};
