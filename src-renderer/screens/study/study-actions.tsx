import { Button, Menu } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import type { StudyView } from "#contract/views.ts";
import { messageOf } from "#renderer/state/states.ts";
import { useLab, useStates } from "#renderer/state/use-states.ts";
import { useToast } from "#renderer/ui/toasts.tsx";

/** What can be done with a study in the state that it is in. */
export const StudyActions = ({ view }: { readonly view: StudyView }) => {
  const { client } = useStates();
  const activity = useLab((state) => state.activity);
  const [busy, setBusy] = useState<string>();
  const [, navigate] = useLocation();
  const toast = useToast();
  const act = (name: string, work: () => Promise<unknown>) => async () => {
    setBusy(name);
    try {
      await work();
    } catch (error) {
      toast({ tone: "bad", text: messageOf(error) });
    } finally {
      setBusy(undefined);
    }
  };
  const study = { study: view.id };
  const phase = activity.study === view.id ? activity.phase : undefined;
  const queued = activity.queue.includes(view.id);
  const pause = act("pause", () => client.studies.pause(study));
  const resume = act("resume", () => client.studies.resume(study));
  const stopAfter = act("after", () => client.studies.stopAfterRound(study));
  const stopNow = act("now", () => client.studies.stopNow(study));
  const remove = act("remove", async () => {
    await client.studies.remove(study);
    navigate("/");
  });

  if (phase !== undefined) {
    const stopping = phase === "stopping-after-round" || phase === "stopping-now";
    return (
      <>
        {phase === "paused" || phase === "pausing" ? (
          <Button variant="filled" onClick={resume} loading={busy === "resume"}>
            Go on
          </Button>
        ) : (
          <Button onClick={pause} loading={busy === "pause"} disabled={stopping || phase === "starting"}>
            Pause
          </Button>
        )}
        <Button onClick={stopAfter} loading={busy === "after"} disabled={stopping}>
          Stop after this round
        </Button>
        <Button onClick={stopNow} loading={busy === "now"} disabled={phase === "stopping-now"}>
          Stop now
        </Button>
      </>
    );
  }
  if (queued) {
    return (
      <Button onClick={remove} loading={busy === "remove"}>
        Take out of the line
      </Button>
    );
  }
  return (
    <>
      {view.status === "interrupted" && (
        <Button variant="filled" onClick={resume} loading={busy === "resume"}>
          Go on
        </Button>
      )}
      <Button onClick={() => navigate(`/new?from=${view.id}`)}>Use as template</Button>
      <Button
        variant={view.status === "interrupted" ? "default" : "filled"}
        onClick={() => navigate(`/compare?studies=${view.id}`)}
      >
        Compare and export
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button aria-label="More" px={10}>
            ⋯
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void navigator.clipboard.writeText(view.id)}>
            Copy the id ({view.id})
          </Menu.Item>
          <Menu.Item
            color="red"
            onClick={() => {
              if (
                window.confirm(`Forget ${view.name} with all its rounds and weights? This cannot be undone.`)
              )
                void remove();
            }}
          >
            Forget this study
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
};
