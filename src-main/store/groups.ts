import type { DatabaseSync } from "node:sqlite";
import { UserError } from "#contract/failure.ts";
import type { VirtualGroup } from "#contract/fleet.ts";
import { inTransaction } from "./database.ts";

type GroupRow = { name: string; count: number; slowness: number; drop_out: number; crash: number };

export type GroupTable = ReturnType<typeof createGroupTable>;

/**
 * Device names are made of the group's name and a number, so unequal group names give equal device names only where
 * upper and lower case count as the same: in the folders of many computers, and for readers.
 */
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** The groups of virtual devices in the lab's fleet, in the order in which they were added. */
export const createGroupTable = (db: DatabaseSync) => {
  const all = db.prepare(
    "SELECT name, count, slowness, drop_out, crash FROM virtual_groups ORDER BY position, name",
  );
  const insert = db.prepare(`
    INSERT INTO virtual_groups (name, count, slowness, drop_out, crash, position, created_at)
    VALUES (:name, :count, :slowness, :dropOut, :crash,
      (SELECT coalesce(max(position) + 1, 0) FROM virtual_groups), :at)`);
  const update = db.prepare(`
    UPDATE virtual_groups SET name = :name, count = :count, slowness = :slowness, drop_out = :dropOut, crash = :crash
    WHERE name = :before`);
  const remove = db.prepare("DELETE FROM virtual_groups WHERE name = ?");

  const list = (): VirtualGroup[] =>
    (all.all() as GroupRow[]).map(({ name, count, slowness, drop_out: dropOut, crash }) => ({
      count,
      name,
      slowness,
      dropOut,
      crash,
    }));

  const refuseClashes = (name: string, others: readonly VirtualGroup[]): void => {
    if (sameName(name, "external")) {
      throw new UserError(
        `A group cannot be called ${name}, because foreign clients are called external-1, external-2, …. Choose another name.`,
      );
    }
    const other = others.find((group) => sameName(group.name, name));
    if (other === undefined) return;
    throw new UserError(
      other.name === name
        ? `There is already a group called ${name}. Change its number of devices, or choose another name.`
        : `The devices of ${name} would be called ${name}-1, ${name}-2, …: the same as those of the group ${other.name}, ` +
            "apart from upper and lower case. Choose another name.",
    );
  };

  return {
    list,
    /** @throws UserError when its devices would have names of another group or of foreign clients. */
    add: (group: VirtualGroup, at: string = new Date().toISOString()): void =>
      inTransaction(db, () => {
        refuseClashes(group.name, list());
        insert.run({ ...values(group), at });
      }),
    /**
     * Its place in the list stays.
     * @returns false when there is no such group.
     * @throws UserError as `add` does.
     */
    change: (before: string, group: VirtualGroup): boolean =>
      inTransaction(db, () => {
        const others = list().filter(({ name }) => name !== before);
        refuseClashes(group.name, others);
        return update.run({ ...values(group), before }).changes > 0;
      }),
    /** @returns false when there is no such group. */
    remove: (name: string): boolean => inTransaction(db, () => remove.run(name).changes > 0),
  };
};

const values = ({ name, count, slowness, dropOut, crash }: VirtualGroup) => ({
  name,
  count,
  slowness,
  dropOut,
  crash,
});
