import type { DatabaseSync } from "node:sqlite";
import type { BoardLogLine, TelemetryPoint } from "#contract/boards.ts";
import { inTransaction } from "./database.ts";

/** Lines kept per board; older ones are deleted. */
const KEPT_LINES = 50_000;
/** How long telemetry is kept. */
const KEPT_MS = 7 * 24 * 3600 * 1000;
/** Characters of a line; what is longer is cut. */
const LONGEST = 4000;

export interface BoardLogQuery {
  readonly name: string;
  readonly study?: string | undefined;
  readonly search?: string | undefined;
  /** Only lines before this one. */
  readonly before?: number | undefined;
  readonly limit: number;
}

type LogRow = {
  id: number;
  study: string | null;
  at: string;
  stream: BoardLogLine["stream"];
  text: string;
};

const escaped = (text: string): string => text.replaceAll(/[\\%_]/g, "\\$&");

/** The output of clients on boards, and the telemetry of boards. */
export const createBoardLog = (db: DatabaseSync) => {
  const insert = db.prepare("INSERT INTO board_log (device, study, at, stream, text) VALUES (?, ?, ?, ?, ?)");
  const found = db.prepare(`
    SELECT id, study, at, stream, text FROM board_log
    WHERE device = :name AND id < :before AND (:study IS NULL OR study = :study)
      AND (:search IS NULL OR text LIKE :search ESCAPE '\\')
    ORDER BY id DESC LIMIT :limit`);
  const trim = db.prepare(`
    DELETE FROM board_log WHERE device = :name AND id <=
      (SELECT id FROM board_log WHERE device = :name ORDER BY id DESC LIMIT 1 OFFSET ${KEPT_LINES})`);
  const insertPoint = db.prepare(
    "INSERT OR REPLACE INTO board_telemetry (device, at, point) VALUES (?, ?, ?)",
  );
  const points = db.prepare(
    "SELECT point FROM board_telemetry WHERE device = ? AND at >= ? ORDER BY at DESC LIMIT ?",
  );
  const trimPoints = db.prepare("DELETE FROM board_telemetry WHERE device = ? AND at < ?");
  let sinceTrim = 0;

  return {
    /** In one transaction that does not wait for the disk: the next commit syncs it. @returns the lines, numbered */
    append: (device: string, lines: readonly Omit<BoardLogLine, "id">[]): BoardLogLine[] =>
      inTransaction(
        db,
        () => {
          const numbered = lines.map((line) => {
            const text = line.text.length > LONGEST ? `${line.text.slice(0, LONGEST)}…` : line.text;
            const { lastInsertRowid } = insert.run(device, line.study ?? null, line.at, line.stream, text);
            return { ...line, text, id: Number(lastInsertRowid) };
          });
          sinceTrim += lines.length;
          if (sinceTrim > KEPT_LINES / 50) {
            sinceTrim = 0;
            trim.run({ name: device });
          }
          return numbered;
        },
        "with-the-next",
      ),
    /** The newest `limit` matching lines, oldest first. */
    find: ({ name, study, search, before = Number.MAX_SAFE_INTEGER, limit }: BoardLogQuery) => {
      const rows = found.all({
        name,
        before,
        study: study ?? null,
        search: search === undefined || search === "" ? null : `%${escaped(search)}%`,
        limit: limit + 1,
      }) as LogRow[];
      const lines = rows.slice(0, limit).map(
        ({ id, study: of, at, stream, text }): BoardLogLine => ({
          id,
          at,
          ...(of === null ? {} : { study: of }),
          stream,
          text,
        }),
      );
      return { lines: lines.reverse(), more: rows.length > limit };
    },
    /** Of several boards at once, without waiting for the disk. */
    addPoints: (told: readonly { readonly device: string; readonly point: TelemetryPoint }[]): void =>
      inTransaction(
        db,
        () => {
          for (const { device, point } of told) insertPoint.run(device, point.at, JSON.stringify(point));
        },
        "with-the-next",
      ),
    forgetOldPoints: (device: string, now: number): void => {
      trimPoints.run(device, new Date(now - KEPT_MS).toISOString());
    },
    /** The newest `limit` points since a time, oldest first. */
    points: (device: string, since: string, limit: number): TelemetryPoint[] =>
      (points.all(device, since, limit) as { point: string }[])
        .map(({ point }) => JSON.parse(point) as TelemetryPoint)
        .reverse(),
  };
};
