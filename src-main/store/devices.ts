import type { DatabaseSync } from "node:sqlite";
import type { CrewKind } from "#contract/fleet.ts";
import { inTransaction } from "./database.ts";

export interface DeviceRecord {
  readonly name: string;
  readonly kind: CrewKind;
  readonly dialect?: string;
  readonly address?: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly connected: boolean;
  readonly leftReason?: string;
}

export interface DeviceInput {
  readonly name: string;
  readonly kind: DeviceRecord["kind"];
  readonly dialect?: string;
  readonly address?: string;
}

type DeviceRow = {
  name: string;
  kind: DeviceRecord["kind"];
  dialect: string | null;
  address: string | null;
  first_seen: string;
  last_seen: string;
  connected: number;
  left_reason: string | null;
};

export type DeviceTable = ReturnType<typeof createDeviceTable>;

/** The fleet as it was ever seen, by name. Times are ISO 8601 in UTC. */
export const createDeviceTable = (db: DatabaseSync) => {
  const upsert = db.prepare(`
    INSERT INTO devices (name, kind, dialect, address, first_seen, last_seen)
    VALUES (:name, :kind, :dialect, :address, :at, :at)
    ON CONFLICT (name) DO UPDATE SET
      kind = :kind, dialect = coalesce(:dialect, dialect), address = coalesce(:address, address),
      last_seen = max(last_seen, :at)`);
  const connect = db.prepare(
    "UPDATE devices SET connected = ?, left_reason = ?, last_seen = max(last_seen, ?) WHERE name = ?",
  );
  const all = db.prepare("SELECT * FROM devices ORDER BY name");
  const kind = db.prepare("SELECT kind FROM devices WHERE name = ?");
  const forget = db.prepare("DELETE FROM devices WHERE name = ? AND connected = 0");
  return {
    /** Adds a device or updates what is given of it; what is left out stays as it was. */
    upsert: (device: DeviceInput, at: string = new Date().toISOString()): void => {
      upsert.run({
        name: device.name,
        kind: device.kind,
        dialect: device.dialect ?? null,
        address: device.address ?? null,
        at,
      });
    },
    setConnected: (name: string, connected: boolean, at: string, leftReason?: string): void => {
      connect.run(connected ? 1 : 0, connected ? null : (leftReason ?? null), at, name);
    },
    /** The kind of a device that was seen before. */
    kindOf: (name: string): CrewKind | undefined => (kind.get(name) as { kind: CrewKind } | undefined)?.kind,
    /** After a restart no device is connected. */
    disconnectAll: (): void => db.exec("UPDATE devices SET connected = 0 WHERE connected = 1"),
    /**
     * Takes a device off the list until it is seen again; its updates stay what they are, part of their rounds.
     * @returns false when there is no such device, or it is connected.
     */
    forget: (name: string): boolean => forget.run(name).changes > 0,
    /** `forget` of each that is not connected, at once: ten thousand commits would take a minute. */
    forgetAll: (names: readonly string[]): void =>
      inTransaction(db, () => {
        for (const name of names) forget.run(name);
      }),
    /** By name. */
    list: (): DeviceRecord[] =>
      (all.all() as DeviceRow[]).map((row) => ({
        name: row.name,
        kind: row.kind,
        ...(row.dialect === null ? {} : { dialect: row.dialect }),
        ...(row.address === null ? {} : { address: row.address }),
        firstSeen: row.first_seen,
        lastSeen: row.last_seen,
        connected: row.connected === 1,
        ...(row.left_reason === null ? {} : { leftReason: row.left_reason }),
      })),
  };
};
