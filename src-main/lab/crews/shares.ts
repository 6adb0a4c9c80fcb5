import type { Partition } from "#contract/dataset.ts";
import { type Fleet, withHolders } from "#contract/fleet.ts";

/** The samples of one device: indices into the data set, ascending. */
export interface Share {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/** Who holds what, by device. */
export type Shares = ReadonlyMap<string, Share>;

/** The partition's rows by the names of the devices that they are dealt to. */
export const sharesOf = (fleet: Fleet, partition: Partition): Shares => {
  const { devices, train, test } = withHolders(fleet, partition);
  return new Map(devices.map((name, i) => [name, { train: train[i] ?? [], test: test[i] ?? [] }]));
};
