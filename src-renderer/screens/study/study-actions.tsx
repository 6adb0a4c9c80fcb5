import { Button, Checkbox, Menu, TextInput } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import type { StudyView } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useLab, useStates } from "#renderer/state/use-states.ts";
import { Confirm, Dialog, DialogActions } from "#renderer/ui/dialog.tsx";
import { someOf } from "#renderer/ui/format.ts";
import { Problem } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";

/** The actions that a study's state allows. */
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
            Resume
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
        Remove from queue
      </Button>
    );
  }
  return (
    <>
      {view.status === "interrupted" && (
        <Button variant="filled" onClick={resume} loading={busy === "resume"}>
          Resume
        </Button>
      )}
      <Button onClick={() => navigate(`/new?from=${view.id}`)}>Use as template</Button>
      <Button
        variant={view.status === "interrupted" ? "default" : "filled"}
        onClick={() => navigate(`/compare?studies=${view.id}`)}
      >
        Compare and export
      </Button>
      <More view={view} />
    </>
  );
};

/** Rare actions. */
const More = ({ view }: { readonly view: StudyView }) => {
  const { client } = useStates();
  const [, navigate] = useLocation();
  const [asked, setAsked] = useState<"rename" | "delete">();
  const [boardData, setBoardData] = useState(true);
  const boards = view.study.fleet.devices ?? [];
  const toast = useToast();
  const copyId = async () => {
    await navigator.clipboard.writeText(view.id);
    toast({ tone: "ok", text: `Copied ${view.id}.` });
  };
  return (
    <>
      <Menu position="bottom-end" returnFocus>
        <Menu.Target>
          <Button id="more-of-study" aria-label="More" px={10}>
            ⋯
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setAsked("rename")}>Rename</Menu.Item>
          <Menu.Item onClick={copyId}>Copy the ID ({view.id})</Menu.Item>
          <Menu.Item color="red" onClick={() => setAsked("delete")}>
            Delete study
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Dialog
        opened={asked === "rename"}
        title="Rename study"
        onClose={() => setAsked(undefined)}
        returnTo="more-of-study"
      >
        <Rename view={view} onDone={() => setAsked(undefined)} />
      </Dialog>
      <Confirm
        opened={asked === "delete"}
        title="Delete this study?"
        text={`This deletes ${view.name} with all its rounds, updates and weights. It cannot be undone.`}
        yes="Delete"
        onYes={async () => {
          await client.studies.remove({ study: view.id, boardData });
          navigate("/");
        }}
        onClose={() => setAsked(undefined)}
        returnTo="more-of-study"
      >
        {boards.length > 0 && (
          <Checkbox
            mt={14}
            checked={boardData}
            onChange={(event) => setBoardData(event.currentTarget.checked)}
            label={`Also delete its data on ${boards.length === 1 ? "the board" : "the boards"}`}
            description={`What the lab sent to ${someOf(boards)} for this study. A board that is offline is cleaned up when it reconnects. Images that other studies use stay.`}
          />
        )}
      </Confirm>
    </>
  );
};

const Rename = ({ view, onDone }: { readonly view: StudyView; readonly onDone: () => void }) => {
  const { client, openStudy } = useStates();
  const [name, setName] = useState(view.name);
  const [problem, setProblem] = useState<string>();
  const rename = async () => {
    try {
      await client.studies.rename({ study: view.id, name });
      await openStudy(view.id);
      onDone();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void rename();
      }}
    >
      <TextInput
        label="Name"
        value={name}
        maxLength={200}
        data-autofocus
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {problem !== undefined && <Problem text={problem} />}
      <DialogActions>
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" variant="filled" disabled={name.trim() === ""}>
          Rename
        </Button>
      </DialogActions>
    </form>
  );
};
