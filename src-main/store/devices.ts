import type { DatabaseSync } from "node:sqlite";

export interface DeviceRecord {
  readonly name: string;
  /** "unknown" until somebody says what it is: a device that only joined over the wire. */
  readonly kind: "virtual" | "board" | "external" | "unknown";
  readonly dialect?: string;
  readonly address?: string;
  /** What was found out about it: plain JSON. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly connected: boolean;
  readonly leftReason?: string;
}

export interface DeviceInput {
  readonly name: string;
  readonly kind?: DeviceRecord["kind"];
  readonly dialect?: string;
  readonly address?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

type DeviceRow = {
  name: string;
  kind: DeviceRecord["kind"];
  dialect: string | null;
  address: string | null;
  details: string;
  first_seen: string;
  last_seen: string;
  connected: number;
  left_reason: string | null;
};

export type Devices = ReturnType<typeof createDevices>;

/** The fleet as it was ever seen, by name. Times are ISO 8601 in UTC. */
export const createDevices = (db: DatabaseSync) => {
  const upsert = db.prepare(`
    INSERT INTO devices (name, kind, dialect, address, details, first_seen, last_seen)
    VALUES (:name, coalesce(:kind, 'unknown'), :dialect, :address, coalesce(:details, '{}'), :at, :at)
    ON CONFLICT (name) DO UPDATE SET
      kind = coalesce(:kind, kind), dialect = coalesce(:dialect, dialect), address = coalesce(:address, address),
      details = coalesce(:details, details), last_seen = max(last_seen, :at)`);
  const connect = db.prepare(
    "UPDATE devices SET connected = ?, left_reason = ?, last_seen = max(last_seen, ?) WHERE name = ?",
  );
  const all = db.prepare("SELECT * FROM devices ORDER BY name");
  return {
    /** Adds a device or updates what is given of it; what is left out stays as it was. */
    upsert: (device: DeviceInput, at: string = new Date().toISOString()): void => {
      upsert.run({
        name: device.name,
        kind: device.kind ?? null,
        dialect: device.dialect ?? null,
        address: device.address ?? null,
        details: device.details === undefined ? null : JSON.stringify(device.details),
        at,
      });
    },
    setConnected: (name: string, connected: boolean, at: string, leftReason?: string): void => {
      connect.run(connected ? 1 : 0, connected ? null : (leftReason ?? null), at, name);
    },
    /** After a restart nobody is connected. */
    disconnectAll: (): void => db.exec("UPDATE devices SET connected = 0 WHERE connected = 1"),
    /** By name. */
    list: (): DeviceRecord[] =>
      (all.all() as DeviceRow[]).map((row) => ({
        name: row.name,
        kind: row.kind,
        ...(row.dialect === null ? {} : { dialect: row.dialect }),
        ...(row.address === null ? {} : { address: row.address }),
        details: JSON.parse(row.details) as Record<string, unknown>,
        firstSeen: row.first_seen,
        lastSeen: row.last_seen,
        connected: row.connected === 1,
        ...(row.left_reason === null ? {} : { leftReason: row.left_reason }),
      })),
  };
};
