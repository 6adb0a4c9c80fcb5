import type { ClientMessage } from "./protocol.ts";

/** Metrics that a client may report with one answer, and characters of a name: above any real client. */
const MAX_METRICS = 64;
const MAX_METRIC_NAME = 100;
/** Characters of a name that is too long that a message shows. */
const SHOWN = 40;

/**
 * Whether a client reported more metrics than can be kept, or longer names. Values are not judged here: NaN, texts
 * and bytes pass as they came.
 * @returns what is wrong, naming the limit, as a sentence without the device's name; undefined where nothing is
 */
export const metricsProblem = (message: ClientMessage): string | undefined => {
  if (message.kind !== "fit" && message.kind !== "evaluate") return undefined;
  const names = Object.keys(message.metrics);
  if (names.length > MAX_METRICS) {
    return `it reported ${names.length} metrics with ${message.kind}; at most ${MAX_METRICS} are accepted`;
  }
  const long = names.find((name) => name.length > MAX_METRIC_NAME);
  if (long === undefined) return undefined;
  const start = JSON.stringify(`${long.slice(0, SHOWN)}…`);
  return `it reported a metric whose name has ${long.length} characters, ${start}; at most ${MAX_METRIC_NAME} are accepted`;
};
