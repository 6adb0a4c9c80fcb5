import type { ForkChild } from "#contract/child.ts";
import type { BoardsOptions } from "#main/boards/boards-options.ts";
import type { ListenOptions } from "#main/hosts/cli/listen-options.ts";

export interface LabOptions {
  readonly dataDir: string;
  readonly resourcesDir: string;
  readonly fork: ForkChild;
  /** Roots of the child processes. */
  readonly entries: Readonly<Record<"device" | "evaluation" | "data" | "report", URL>>;
  /** The Python client and its Dockerfiles; default: beside `resourcesDir`. */
  readonly deviceScriptsDir?: string;
  /** How secrets of boards rest; default: in memory, or a file where a person chooses one. */
  readonly secrets?: BoardsOptions["secrets"];
  /** Where foreign Flower clients may join; default: loopback port 8080. */
  readonly listen?: ListenOptions | undefined;
  readonly onProgress?: (message: string) => void;
  /** For commands that only read: while another process holds the directory, it opens read-only. */
  readonly look?: boolean;
}
