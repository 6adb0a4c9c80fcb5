import { useEffect, useState } from "react";
import type { DeviceUpdate } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";

/**
 * A device's updates on record, newest first.
 *
 * @param latest changes when the device has a new update: the history is then loaded again
 */
export const useDeviceHistory = (name: string, limit: number, latest: string) => {
  const { client } = useStates();
  const [found, setFound] = useState<{ updates?: readonly DeviceUpdate[]; problem?: string }>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: `latest` says when there is something new
  useEffect(() => {
    let left = false;
    client.fleet.history({ name, limit }).then(
      (updates) => left || setFound({ updates }),
      (error) => left || setFound((before) => ({ ...before, problem: messageOf(error) })),
    );
    return () => {
      left = true;
    };
  }, [client, name, limit, latest]);
  return { updates: found.updates, problem: found.problem };
};
