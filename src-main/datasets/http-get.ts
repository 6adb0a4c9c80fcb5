import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, Agent as TlsAgent } from "node:https";

const MAX_REDIRECTS = 5;

/** A loopback address never goes through a proxy. */
const isLoopback = (host: string) => /^(localhost|127\.[\d.]+|\[?::1\]?)$/.test(host);

/**
 * One GET request over HTTP or HTTPS, redirects followed, through the proxy of the environment (HTTPS_PROXY,
 * NO_PROXY) where there is one. Not `fetch`: that unpacks bodies which a server marks as gzip, and the archives here
 * are gzip files whose checksum is over the packed bytes.
 *
 * @param stallMs how long the connection may bring nothing before it is given up, in milliseconds
 */
export const httpGet = async (
  url: string,
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly stallMs: number;
  },
  redirects = 0,
): Promise<IncomingMessage> => {
  const target = new URL(url);
  if (target.protocol !== "http:" && target.protocol !== "https:") {
    throw new Error(`${target.protocol} is not supported, only http: and https:`);
  }
  const tls = target.protocol === "https:";
  const proxy = isLoopback(target.hostname) ? {} : { proxyEnv: process.env };
  const agent = tls ? new TlsAgent(proxy) : new Agent(proxy);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = (tls ? httpsRequest : httpRequest)(target, {
      agent,
      headers: { "user-agent": "fedfleet", "accept-encoding": "identity", ...options.headers },
      signal: options.signal,
      timeout: options.stallMs,
    });
    request.on("timeout", () => {
      request.destroy(new Error(`no data for ${Math.round(options.stallMs / 1000)} s`));
    });
    request.on("error", reject);
    request.on("response", resolve);
    request.end();
  });
  const status = response.statusCode ?? 0;
  if (![301, 302, 303, 307, 308].includes(status)) return response;
  response.resume();
  const location = response.headers.location;
  if (!location || redirects >= MAX_REDIRECTS)
    throw new Error(`status ${status}, too many or empty redirects`);
  const next = new URL(location, target);
  // a checksum protects the contents; this keeps the request private
  if (tls && next.protocol !== "https:") throw new Error(`redirected from https to ${next.protocol}`);
  return httpGet(next.href, options, redirects + 1);
};
