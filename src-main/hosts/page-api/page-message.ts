/** The page's requests are small; the largest holds a study file. In characters: there are at least as many bytes. */
export const MAX_MESSAGE = 8 * 1024 * 1024;
const MAX_ID = 64;

/** What oRPC's client writes as `t`; without it, the message is a request. */
const REQUEST = 1;
const ABORT = 4;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Whether a message is one that oRPC's client writes, over either transport: a request (a path and its input), or word
 * that the answer is no longer wanted. Anything else is kept from oRPC, which could not tell it from a bug.
 */
export const isPageMessage = (data: unknown): data is string => {
  if (typeof data !== "string" || data.length > MAX_MESSAGE) return false;
  let message: unknown;
  try {
    message = JSON.parse(data);
  } catch {
    return false;
  }
  if (!isObject(message) || typeof message.i !== "string" || message.i.length > MAX_ID) return false;
  if (message.t === ABORT) return true;
  return (message.t === undefined || message.t === REQUEST) && isRequest(message.p);
};

/** All requests of the contract are JSON by POST: no files, no forms. */
const isRequest = (request: unknown): boolean => {
  if (!isObject(request)) return false;
  const { u: path, m: method, h: headers, b: body } = request;
  if (typeof path !== "string" || !/^\/[\w/]{1,200}$/.test(path) || method !== undefined) return false;
  if (body !== undefined && !isObject(body)) return false;
  if (headers === undefined) return true;
  return (
    isObject(headers) &&
    Object.entries(headers).every(
      ([name, value]) => !/^content-/i.test(name) && typeof value === "string" && value.length < 1000,
    )
  );
};
