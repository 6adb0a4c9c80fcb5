import type { Reached } from "#contract/boards.ts";

/** "kitchen.local", "kitchen.local, port 2222" */
export const placeText = ({ host, port }: Pick<Reached, "host" | "port">): string =>
  port === 22 ? host : `${host}, port ${port}`;
