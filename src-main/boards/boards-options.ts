import type { BoardLogLine, TelemetryPoint } from "#contract/boards.ts";
import type { Emit } from "#contract/events.ts";
import type { BoardNews } from "./board.ts";
import type { BoardRecord } from "./board-record.ts";
import type { DevicePoint } from "./board-telemetry.ts";
import type { SecretsOptions } from "./secrets.ts";

/** News of boards for those who watch them. */
export type BoardsNotice =
  | BoardNews
  | { readonly kind: "telemetry"; readonly points: readonly DevicePoint[] }
  | { readonly kind: "board-log"; readonly device: string; readonly lines: readonly BoardLogLine[] };

export interface BoardsOptions {
  readonly dataDir: string;
  /** The folder of the Python client and its Dockerfiles. */
  readonly deviceScripts: string;
  readonly labId: () => string;
  readonly records: {
    list(): readonly BoardRecord[];
    /** @throws UserError when another board has this name */
    add(record: BoardRecord): void;
    save(record: BoardRecord): void;
    remove(name: string): boolean;
  };
  readonly log: {
    append(device: string, lines: readonly Omit<BoardLogLine, "id">[]): readonly BoardLogLine[];
    addPoints(points: readonly DevicePoint[]): void;
    forgetOldPoints(device: string, now: number): void;
    points(device: string, since: string, limit: number): readonly TelemetryPoint[];
  };
  /** Studies that were deleted while their data were still on a board. */
  readonly drops: {
    list(device: string): readonly string[];
    add(device: string, study: string): void;
    done(device: string, study: string): void;
  };
  /** How secrets are stored; default: in memory, or in a file where a person chooses one. */
  readonly secrets?: Pick<SecretsOptions, "cipher" | "note">;
  readonly emit: Emit;
  readonly onBug: (error: unknown) => void;
  /** Default: the user's own. */
  readonly sshConfig?: string;
  readonly now?: () => number;
}
