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
  /** Where foreign Flower clients may join; loopback port 8080 if a study wants some and this is not said. */
  readonly listen?: ListenOptions | undefined;
  readonly onProgress?: (message: string) => void;
  /** For those who only look: beside a running study, the directory opens without the right to write. */
  readonly look?: boolean;
}
