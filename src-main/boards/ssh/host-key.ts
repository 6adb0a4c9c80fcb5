import { createHash } from "node:crypto";
import type { HostKey } from "#contract/boards.ts";

/** A host's public key as it travels: its type is the first string in it. */
export interface ShownKey extends HostKey {
  readonly bytes: Buffer;
}

/** The key that these bytes are. */
export const shownKeyOf = (bytes: Buffer): ShownKey => {
  const length = bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
  return {
    bytes,
    type: bytes.toString("latin1", 4, 4 + Math.min(length, 64)),
    fingerprint: `SHA256:${createHash("sha256").update(bytes).digest("base64").replace(/=+$/, "")}`,
  };
};

/** Without the bytes: what pages and records hold. */
export const plainKey = ({ type, fingerprint }: HostKey): HostKey => ({ type, fingerprint });

/** The algorithms by which a host may prove its key, without those on SHA-1. */
const ALGORITHMS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
] as const;

/**
 * What to leave out of the offer to a host whose known keys have these types: an RSA key is proven by rsa-sha2-*. Said as
 * exclusions, since naming an algorithm that this computer's crypto library lacks would be an error.
 */
export const unwantedAlgorithms = (types: readonly string[] | undefined): string[] => {
  const wanted =
    types === undefined
      ? ALGORITHMS
      : ALGORITHMS.filter((name) => types.includes(name.startsWith("rsa-") ? "ssh-rsa" : name));
  // No key of a known type can be checked, so any key that the host shows is the alarm: offer everything.
  const offered: readonly string[] = wanted.length === 0 ? ALGORITHMS : wanted;
  return ["ssh-rsa", ...ALGORITHMS.filter((name) => !offered.includes(name))];
};
