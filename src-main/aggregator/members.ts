import type { Emit } from "#contract/events.ts";
import type { CrewKind } from "#contract/fleet.ts";
import { within } from "./deadline.ts";
import { GRPC } from "./grpc.ts";
import type { Join } from "./join.ts";
import type { Session } from "./session.ts";

/** A session, and its call. */
export interface Member {
  readonly session: Session;
  readonly join: Join;
  leaving: boolean;
}

/** As whom a client joins; a foreign client has no device until it is given the next free name. */
export type Identity =
  | { readonly crew: Exclude<CrewKind, "external">; readonly device: string }
  | { readonly crew: "external" };

/** The devices that have joined, by name. */
export interface Members {
  /** Adds a device. An earlier connection of the same device ends: the device has joined again. */
  enter(join: Join, identity: Identity): void;
  /** To be called when a call is over: takes its member, if it became one, off the list and tells why it left. */
  left(join: Join, reason: string): void;
  /** To be called when an answer has arrived. */
  becameIdle(join: Join): void;
  /** The device of a call that became a member. */
  deviceOf(join: Join): string | undefined;
  /**
   * Sends a member away: waits for its outstanding answer, sends Reconnect, ends the call; each wait lasts
   * `deadlineMs` at most.
   * @param reconnectSeconds 0 the client ends for good; else it rejoins after this many seconds
   */
  sendAway(member: Member, reconnectSeconds: number, deadlineMs: number): Promise<void>;
  find(device: string): Member | undefined;
  /** In the order of joining. */
  all(): readonly Member[];
  /** Called when a session came, went, or became idle. @returns unsubscribes */
  onChange(listener: () => void): () => void;
}

export const createMembers = (emit: Emit): Members => {
  const members = new Map<string, Member>();
  const byJoin = new WeakMap<Join, Member>();
  const listeners = new Set<() => void>();

  const changed = (): void => {
    for (const listener of [...listeners]) listener();
  };

  const freeName = (): string => {
    let n = 1;
    while (members.has(`external-${n}`)) n++;
    return `external-${n}`;
  };

  return {
    enter: (join, identity) => {
      const device = identity.crew === "external" ? freeName() : identity.device;
      const { crew } = identity;
      const { dialect, address } = join;
      members.get(device)?.join.end(GRPC.CANCELLED, "the device joined again on another connection");
      const session: Session = {
        device,
        crew,
        dialect,
        address,
        get busy() {
          return join.busy;
        },
        request: (message, hooks) => join.request(message, hooks),
      };
      const member: Member = { session, join, leaving: false };
      members.set(device, member);
      byJoin.set(join, member);
      emit({ kind: "device-joined", device, crew, dialect, address });
      changed();
    },
    left: (join, reason) => {
      const member = byJoin.get(join);
      if (member === undefined) return;
      const { device } = member.session;
      if (members.get(device) === member) members.delete(device);
      emit({ kind: "device-left", device, reason });
      changed();
    },
    becameIdle: (join) => {
      if (byJoin.has(join)) changed();
    },
    deviceOf: (join) => byJoin.get(join)?.session.device,
    sendAway: async (member, reconnectSeconds, deadlineMs) => {
      member.leaving = true;
      changed();
      const { join } = member;
      await within(deadlineMs, join.idle());
      if (join.busy) return join.end(GRPC.UNAVAILABLE, "sent away before it answered");
      await within(deadlineMs, join.request({ kind: "reconnect", seconds: reconnectSeconds }));
      join.end(GRPC.OK, "sent away");
    },
    find: (device) => members.get(device),
    all: () => [...members.values()],
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
