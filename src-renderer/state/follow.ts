import type { StreamBatch } from "#contract/views.ts";
import type { Lab } from "#renderer/lab.ts";

/** The lab sends at least an empty batch every ten seconds. */
const SILENCE_MS = 25_000;
const AGAIN_MS = 500;

export interface FollowOptions {
  readonly lab: Lab;
  /** The number of the last event that is shown already. */
  readonly after: number;
  readonly onBatch: (batch: StreamBatch) => void;
  /** The stream has opened (again): what is not recorded has to be loaded again. */
  readonly onOpen: () => void;
}

/**
 * Follows the lab's stream for as long as the page lives. After a break it continues after the last batch that
 * came, so nothing is missed and nothing comes twice.
 */
export const followLab = async ({ lab, after, onBatch, onOpen }: FollowOptions): Promise<never> => {
  let cursor = after;
  for (;;) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const expectMore = () => {
      clearTimeout(timer);
      // The stream ends with its connection; aborting it would send on a socket that is closed by then.
      timer = setTimeout(lab.reconnect, SILENCE_MS);
    };
    try {
      const stream = await lab.client.events.follow({ after: cursor });
      onOpen();
      expectMore();
      for await (const batch of stream) {
        expectMore();
        cursor = batch.cursor;
        onBatch(batch);
      }
    } catch {
      // The connection says so itself; here only the next attempt matters.
    }
    clearTimeout(timer);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
};
