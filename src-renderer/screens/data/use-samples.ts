import { useEffect, useState } from "react";
import type { SamplesView } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";

/** Sample images of a data set, loaded once it is ready. `since`: when the page was opened. */
export const useSamples = (name: string, ready: boolean, where: string | undefined) => {
  const { client } = useStates();
  const [since] = useState(() => Date.now());
  const [found, setFound] = useState<{ samples?: SamplesView; problem?: string }>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: a copy elsewhere under the same name has other images
  useEffect(() => {
    if (!ready) return setFound({});
    let left = false;
    client.data.samples({ name }).then(
      (samples) => left || setFound({ samples }),
      (error) => left || setFound({ problem: messageOf(error) }),
    );
    return () => {
      left = true;
    };
  }, [client, name, ready, where]);
  return { ...found, since };
};
