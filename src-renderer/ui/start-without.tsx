import { Button } from "@mantine/core";
import { useState } from "react";
import type { LiveRound } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { plural } from "./format.ts";
import { useToast } from "./toasts.tsx";
import { presentOf } from "./waiting.ts";

/** Stops waiting for missing devices: the round starts with those that are connected. */
export const StartWithout = ({
  study,
  waiting,
  size = "xs",
}: {
  readonly study: string;
  readonly waiting: NonNullable<LiveRound["waiting"]>;
  readonly size?: string;
}) => {
  const { client } = useStates();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const present = presentOf(waiting);
  if (present === 0) return null;
  const act = async () => {
    setBusy(true);
    try {
      await client.studies.goOnWithout({ study });
    } catch (error) {
      toast({ tone: "bad", text: messageOf(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size={size} onClick={act} loading={busy}>
      {present === undefined ? "Start without them" : `Start with ${plural(present, "device")}`}
    </Button>
  );
};
