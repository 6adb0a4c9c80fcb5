import type { Study } from "#contract/study.ts";

/** What a study's choices are called in the page. */

export const OPTIMIZER_TITLES: Readonly<Record<Study["optimizer"]["kind"], string>> = {
  sgd: "SGD",
  adam: "Adam",
  rmsprop: "RMSprop",
};

const PARTITION_TITLES: Readonly<Record<Study["partition"]["kind"], string>> = {
  iid: "IID",
  shards: "Shards",
  dirichlet: "Dirichlet",
  "class-skew": "Class skew",
};

/** @param kind as a task lists it */
export const partitionTitle = (kind: string): string =>
  Object.hasOwn(PARTITION_TITLES, kind) ? PARTITION_TITLES[kind as Study["partition"]["kind"]] : kind;
