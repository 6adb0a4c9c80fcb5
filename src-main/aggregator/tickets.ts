import { createHash, randomBytes } from "node:crypto";

/** Secrets that say which device a connection belongs to. */
export interface Tickets {
  /** A new ticket for the device; it voids an earlier one. */
  issue(device: string): string;
  revoke(device: string): void;
  /** The device of a ticket, undefined for one that was never issued or is void. */
  deviceOf(ticket: string): string | undefined;
}

export const createTickets = (): Tickets => {
  // Kept and looked up by digest, so that the time of a look-up says nothing about a ticket.
  const devices = new Map<string, string>();
  const digests = new Map<string, string>();
  const digest = (ticket: string): string => createHash("sha256").update(ticket).digest("base64url");

  const revoke = (device: string): void => {
    const old = digests.get(device);
    if (old !== undefined) devices.delete(old);
    digests.delete(device);
  };

  return {
    issue: (device) => {
      revoke(device);
      const ticket = randomBytes(32).toString("base64url");
      digests.set(device, digest(ticket));
      devices.set(digest(ticket), device);
      return ticket;
    },
    revoke,
    deviceOf: (ticket) => devices.get(digest(ticket)),
  };
};
