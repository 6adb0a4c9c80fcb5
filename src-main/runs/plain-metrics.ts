import type { Config } from "#main/wire/protocol.ts";

/** Metrics as recorded: numbers, strings and booleans. Bytes are left out; big integers become text. */
export const plainMetrics = (metrics: Config): Record<string, number | string | boolean> => {
  const plain: Record<string, number | string | boolean> = {};
  for (const [key, value] of Object.entries(metrics)) {
    if (typeof value === "bigint") plain[key] = value.toString();
    else if (!(value instanceof Uint8Array)) plain[key] = value;
  }
  return plain;
};
