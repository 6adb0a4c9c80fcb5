/** A question of the page is small; the largest is a study file. In characters, and so in bytes at least. */
export const MAX_MESSAGE = 8 * 1024 * 1024;
const MAX_ID = 64;

/** What oRPC's client writes as `t`; a question where it is left out. */
const QUESTION = 1;
const ABORT = 4;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * As oRPC's client writes it, whichever way it came: a question (its path, its input), or that its answer is no longer
 * wanted. The rest is for nobody: oRPC could not tell it from a bug.
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
  return (message.t === undefined || message.t === QUESTION) && isQuestion(message.p);
};

/** The contract's questions are all posted, with JSON alone: no files, no forms. */
const isQuestion = (question: unknown): boolean => {
  if (!isObject(question)) return false;
  const { u: path, m: method, h: headers, b: body } = question;
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
