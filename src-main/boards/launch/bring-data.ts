import { UserError } from "#contract/failure.ts";
import { megabytes } from "#main/boards/board-data/data-problems.ts";
import { checkFolder, sendPart } from "#main/boards/board-data/send-part.ts";
import type { PartFiles, SshConnection } from "#main/boards/board-ports.ts";

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

export interface DataBringer {
  /**
   * Brings the study's data to the board: sent once, checked again over each new connection.
   * @returns the board's own folder, absolute, where it has one
   * @throws BoardError; UserError where the part's files vanish here
   */
  bring(connection: SshConnection, signal: AbortSignal): Promise<string | undefined>;
  /** All of it is read on the board before it is trusted again, and what is wrong or missing is sent again. */
  distrust(): void;
}

export const createDataBringer = (options: {
  readonly study: string;
  part(): Promise<PartFiles>;
  readonly dataFolder: string | undefined;
  say(text: string): void;
}): DataBringer => {
  let part: PartFiles | undefined;
  let sentOver: SshConnection | undefined;
  const checked = new Set<string>();

  return {
    async bring(connection, signal) {
      const { dataFolder } = options;
      const folder = dataFolder === undefined ? undefined : await checkFolder(connection, dataFolder);
      // Over another connection, the board may have been reinstalled.
      if (sentOver === connection) return folder;
      const begunAt = performance.now();
      let first: number | undefined;
      let last = 0;
      const send = async (): Promise<void> => {
        part ??= await options.part();
        await sendPart(connection, options.study, part, {
          signal,
          checked,
          onProgress: (done) => {
            first ??= done;
            last = done;
          },
        });
      };
      try {
        await send();
      } catch (error) {
        if (!isGone(error)) throw error;
        // The part's files were deleted here since they were written: they are written again.
        part = undefined;
        await send().catch((again: unknown) => {
          if (!isGone(again)) throw again;
          throw new UserError(`The data to send have been deleted: ${(again as Error).message}`, {
            cause: again,
          });
        });
      }
      const bytes = last - (first ?? last);
      if (bytes > 0) {
        const seconds = ((performance.now() - begunAt) / 1000).toFixed(1);
        options.say(`sent ${megabytes(bytes)} of data in ${seconds} s`);
      }
      sentOver = connection;
      return folder;
    },
    distrust() {
      checked.clear();
      sentOver = undefined;
    },
  };
};
