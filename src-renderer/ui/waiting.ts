import type { LiveRound } from "#contract/views.ts";

/** How many devices are connected, read from the lab's sentence "pi-1 to connect (2 of 4)"; undefined where it does not say. */
export const presentOf = ({ stage, for: whom }: NonNullable<LiveRound["waiting"]>): number | undefined => {
  if (stage !== "joining") return 0;
  const [, present] = /\((\d+) of \d+\)$/.exec(whom) ?? [];
  return present === undefined ? undefined : Number(present);
};
