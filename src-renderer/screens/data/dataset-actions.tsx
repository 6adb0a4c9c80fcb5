import { Button } from "@mantine/core";
import { useState } from "react";
import type { DatasetView, Transfer } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { useToast } from "#renderer/ui/toasts.tsx";
import { downloadLabel } from "./dataset-text.ts";

/** The buttons for what can be done with a data set now. */
export const DatasetActions = ({
  entry,
  transfer,
  onRegister,
  onRemove,
}: {
  readonly entry: DatasetView;
  readonly transfer: Transfer | undefined;
  readonly onRegister?: () => void;
  readonly onRemove?: () => void;
}) => {
  const { client, setData } = useStates();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const ask = (work: () => Promise<Parameters<typeof setData>[0]>) => async () => {
    setBusy(true);
    try {
      setData(await work());
    } catch (error) {
      toast({ tone: "bad", text: messageOf(error) });
    } finally {
      setBusy(false);
    }
  };
  const { name } = entry;
  if (transfer?.state === "running") {
    return transfer.what === "download" ? (
      <Button size="xs" onClick={ask(() => client.data.stopDownload({ name }))} loading={busy}>
        Stop
      </Button>
    ) : null;
  }
  return (
    <>
      {entry.state !== "ready" && entry.downloadBytes !== undefined && (
        <Button
          size="xs"
          onClick={ask(() => client.data.download({ name }))}
          loading={busy}
          aria-label={`${downloadLabel(entry, transfer)}: ${entry.title}`}
        >
          {downloadLabel(entry, transfer)}
        </Button>
      )}
      {entry.state !== "ready" && onRegister !== undefined && (
        <Button size="xs" onClick={onRegister} aria-label={`Register a copy of ${entry.title}`}>
          Register a copy
        </Button>
      )}
      {entry.registered && onRemove !== undefined && (
        <Button size="xs" onClick={onRemove} aria-label={`Remove ${entry.title}`}>
          Remove
        </Button>
      )}
    </>
  );
};
