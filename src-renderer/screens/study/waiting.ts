import type { LiveRound } from "#contract/views.ts";

/** How many are there, as the lab's sentence says it: "pi-1 to connect (2 of 4)". Undefined where it does not. */
export const presentOf = ({ stage, for: whom }: NonNullable<LiveRound["waiting"]>): number | undefined => {
  if (stage !== "joining") return 0;
  const [, present] = /\((\d+) of \d+\)$/.exec(whom) ?? [];
  return present === undefined ? undefined : Number(present);
};
