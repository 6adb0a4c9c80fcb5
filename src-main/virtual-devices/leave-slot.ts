import type { Release } from "#contract/slots.ts";
import { SMALL_MESSAGE_BYTES } from "./flower-connection.ts";
import type { SharedByDevices } from "./shared-by-devices.ts";
import type { VirtualDevice } from "./worker-messages.ts";

/** Time for a large update to leave before the next device may compute. */
const UPLOAD_HEAD_START_MS = 2000;

const nothing = (): void => {};

/** How a device that has an answer ready gives up its compute slot. */
export type LeaveSlot = (
  bytes: number,
  computeMs: number,
  compute: Release,
  signal: AbortSignal,
) => Promise<Release>;

/** Waits for the upload's turn and gives the compute slot to the next device. */
export const createLeaveSlot = (
  device: VirtualDevice,
  shared: Pick<SharedByDevices, "asleep" | "uploads" | "clock">,
): LeaveSlot => {
  const { clock } = shared;
  return async (
    bytes: number,
    computeMs: number,
    compute: Release,
    signal: AbortSignal,
  ): Promise<Release> => {
    const large = bytes > SMALL_MESSAGE_BYTES;
    let awake: Release = nothing;
    if (device.profile.slowness > 1) {
      // A worker has memory for few updates only: without room for this one, no device may make the next.
      if (large) awake = await shared.asleep.acquire(signal);
      compute();
      await clock.sleep((device.profile.slowness - 1) * computeMs, signal);
    }
    if (!large) {
      compute();
      signal.throwIfAborted();
      return nothing;
    }
    // Large updates hold the slot back while too many finished ones are in memory, and then until they have left:
    // between the steps of the next training this process hardly gets to send. A server that does not read yet
    // must not stop the training, though.
    const upload = await shared.uploads.acquire(signal).finally(awake);
    clock.sleep(UPLOAD_HEAD_START_MS, signal).then(compute, compute);
    return () => {
      upload();
      compute();
    };
  };
};
