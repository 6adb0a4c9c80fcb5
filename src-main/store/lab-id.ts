import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

/** @returns the lab's id, by which it recognises what it left on boards: 16 hex digits, made once. */
export const createLabId = (db: DatabaseSync): (() => string) => {
  const read = db.prepare("SELECT value FROM lab WHERE key = 'id'");
  const write = db.prepare("INSERT OR IGNORE INTO lab (key, value) VALUES ('id', ?)");
  return () => {
    const known = () => (read.get() as { value: string } | undefined)?.value;
    const id = known();
    if (id !== undefined) return id;
    write.run(randomBytes(8).toString("hex"));
    return known()!;
  };
};
