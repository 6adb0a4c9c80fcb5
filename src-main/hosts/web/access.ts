import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/**
 * Who may talk to the lab. A loopback port can be reached by other users of this computer and by every web page in its
 * browser. So the terminal shows an address with a token, which the browser trades for a cookie. A request must name
 * this server as its Host (a rebound DNS name does not) and, for the socket, as its Origin.
 */
export interface Access {
  readonly token: string;
  /** A token that opens the lab once, within a minute. */
  tokenForOnce(): string;
  /** Whether a Host header is one of our names. */
  knowsHost(host: string | undefined): host is string;
  /** Wrong tokens are counted. `waitMs`: how long to delay the refusal; undefined when there were too many. */
  tryToken(
    token: string,
  ): { readonly ok: true } | { readonly ok: false; readonly waitMs: number | undefined };
  /** The Set-Cookie header that a valid token is traded for. */
  cookie(): string;
  hasCookie(headers: IncomingHttpHeaders): boolean;
  /** Whether the request comes from our own page. Browsers always send an Origin with a WebSocket. */
  isOwnOrigin(headers: IncomingHttpHeaders): boolean;
}

const secret = (): string => randomBytes(32).toString("base64url");

/** Compares in a time that does not depend on where the two differ. */
const same = (a: string, b: string): boolean =>
  timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());

/** Wrong tokens are counted over this time. */
const WINDOW_MS = 60_000;
/** This many wrong tokens are answered, with growing delays; further ones are refused immediately. */
const MOST_WRONG = 20;
const FOR_ONCE_MS = 60_000;

export const createAccess = (port: number, now: () => number = () => performance.now()): Access => {
  const token = secret();
  const session = secret();
  // Cookies are shared by all ports of a host: two labs must not overwrite each other's.
  const cookieName = `fedfleet-${port}`;
  const hosts: ReadonlySet<string> = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
  let wrong: number[] = [];
  let forOnce: { readonly token: string; readonly until: number } | undefined;

  return {
    token,
    tokenForOnce() {
      forOnce = { token: secret(), until: now() + FOR_ONCE_MS };
      return forOnce.token;
    },
    knowsHost: (host): host is string => host !== undefined && hosts.has(host),
    tryToken(given) {
      if (same(given, token)) return { ok: true };
      const at = now();
      if (forOnce !== undefined && at < forOnce.until && same(given, forOnce.token)) {
        forOnce = undefined;
        return { ok: true };
      }
      wrong = wrong.filter((then) => at - then < WINDOW_MS);
      if (wrong.length >= MOST_WRONG) return { ok: false, waitMs: undefined };
      wrong.push(at);
      return { ok: false, waitMs: Math.min(1000, 50 * wrong.length) };
    },
    cookie: () => `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/`,
    hasCookie: (headers) =>
      (headers.cookie ?? "").split(";").some((pair) => {
        const [name, ...value] = pair.trim().split("=");
        return name === cookieName && same(value.join("="), session);
      }),
    isOwnOrigin: ({ host, origin }) => origin !== undefined && origin === `http://${host}`,
  };
};
