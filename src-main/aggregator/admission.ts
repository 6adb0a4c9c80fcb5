import { createHash, timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import { type Failure, UserError } from "#contract/failure.ts";

/** Who may join without a ticket. */
export type Admission =
  | { readonly kind: "open" }
  | { readonly kind: "token"; readonly token: string }
  /** IP addresses, or networks as `10.0.0.0/8`. */
  | { readonly kind: "allow"; readonly addresses: readonly string[] };

/** Metadata in which a client that can set it carries the join token. */
export const TOKEN_HEADER = "fedfleet-token";
/** The property that the server asks other clients for, and the question: `get_properties({"want": "join_token"})`. */
export const TOKEN_PROPERTY = "join_token";

/** Whether two secrets are equal, in a time that does not tell how much of them is. */
export const sameSecret = (a: string, b: string): boolean => {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
};

const familyOf = (ip: string): "ipv4" | "ipv6" => (isIP(ip) === 6 ? "ipv6" : "ipv4");

/** @throws UserError for an entry that is not an address */
const parseAllowList = (addresses: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const entry of addresses) {
    const [ip = "", bits, ...more] = entry.split("/");
    const family = familyOf(ip);
    const width = family === "ipv6" ? 128 : 32;
    const wrong =
      isIP(ip) === 0 ||
      more.length > 0 ||
      (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= width));
    if (wrong) {
      throw new UserError(
        `allow list: ${JSON.stringify(entry)} is not an IP address; write 192.168.1.7 or 192.168.1.0/24`,
      );
    }
    if (bits === undefined) list.addAddress(ip, family);
    else list.addSubnet(ip, Number(bits), family);
  }
  return list;
};

/** What the server does with a client that has no ticket. */
export type Verdict =
  | { readonly kind: "welcome" }
  /** Ask it for the token. */
  | { readonly kind: "ask"; readonly token: string }
  | { readonly kind: "refuse"; readonly failure: Failure };

/**
 * @returns a judge of joins by the peer's IP address and the token header
 * @throws UserError when the setting itself is wrong
 */
export const createAdmission = (
  admission: Admission,
): ((ip: string | undefined, tokenHeader: string | undefined) => Verdict) => {
  if (admission.kind === "open") return () => ({ kind: "welcome" });
  if (admission.kind === "token") {
    const { token } = admission;
    if (token === "") throw new UserError("join token: an empty token would let any client join; choose one");
    return (_ip, header) => {
      if (header === undefined) return { kind: "ask", token };
      return sameSecret(header, token)
        ? { kind: "welcome" }
        : { kind: "refuse", failure: badToken("is wrong") };
    };
  }
  const list = parseAllowList(admission.addresses);
  return (ip) =>
    ip !== undefined && isIP(ip) !== 0 && list.check(ip, familyOf(ip))
      ? { kind: "welcome" }
      : {
          kind: "refuse",
          failure: {
            code: "not-allowed",
            stage: "join",
            cause: `the address ${ip ?? "of this connection"} is not on the allow list`,
            next: "Add the address to the allow list if this client may join.",
          },
        };
};

export const badToken = (what: string): Failure => ({
  code: "bad-token",
  stage: "join",
  cause: `the join token ${what}`,
  next: `Let the client's get_properties answer "${TOKEN_PROPERTY}" with the join token.`,
});
