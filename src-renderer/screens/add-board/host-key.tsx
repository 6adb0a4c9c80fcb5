import { Button } from "@mantine/core";
import type { BoardProblem, Reached } from "#contract/boards.ts";
import style from "#renderer/screens/board/board.module.css";
import { BoardProblemBox, Commands, CopyButton } from "#renderer/screens/board/board-problem.tsx";
import { checkCommand } from "#renderer/screens/board/board-words.ts";

export const Fingerprint = ({
  fingerprint,
  type,
  title,
}: {
  readonly fingerprint: string;
  readonly type: string;
  readonly title: string;
}) => (
  <div className={style.fingerprint}>
    <span className={style.note}>
      {title} · {type}
    </span>
    <b>{fingerprint}</b>
    <CopyButton text={fingerprint} what={`the fingerprint, ${title}`} />
  </div>
);

const place = ({ host, port }: Reached): string => (port === 22 ? host : `${host}, port ${port}`);

/** Somebody answers whom nobody has looked at yet: the one question that only a person can answer. */
export const NewKey = ({
  reached,
  busy,
  problem,
  onTrust,
  onCancel,
}: {
  readonly reached: Reached;
  readonly busy: boolean;
  readonly problem: BoardProblem | undefined;
  readonly onTrust: () => void;
  readonly onCancel: () => void;
}) => (
  <>
    {/* not the button: whoever presses Enter once more has looked at nothing */}
    <h3 tabIndex={-1} data-stage-focus>
      {reached.isJump ? `First the host in between: ${place(reached)}` : "Is this your board?"}
    </h3>
    <p>
      {reached.isJump
        ? `Your ~/.ssh/config leads to the board through ${place(reached)}. The lab has not seen that host before, and looks at its key first.`
        : `${place(reached)} answers, and the lab has not seen it before. Nothing secret was sent yet.`}{" "}
      Its key has this fingerprint:
    </p>
    <Fingerprint title={`Host key of ${reached.host}`} {...reached.key} />
    <div>
      <p>
        Compare it with what the {reached.isJump ? "host" : "board"} itself says. At its own screen and
        keyboard, or where you are signed in already:
      </p>
      <Commands lines={[checkCommand(reached.key.type)]} what="the command" label="Shows the fingerprint" />
    </div>
    {problem !== undefined && <BoardProblemBox problem={problem} />}
    <div className={style.buttons}>
      <Button variant="filled" onClick={onTrust} loading={busy}>
        It matches: trust it
      </Button>
      <Button onClick={onCancel}>It does not match: leave</Button>
    </div>
  </>
);

/** Another key than the known one. There is no button that takes it. */
export const ChangedKey = ({
  reached,
  onLeave,
}: {
  readonly reached: Reached;
  readonly onLeave: () => void;
}) => (
  <>
    <div className={style.problem} role="alert">
      <p className={style.problemTitle}>This is not the machine that is known at {place(reached)}</p>
      <p>
        It shows another key than the one that you trusted. Either the board was set up anew (a fresh SD card
        makes new keys), another board has its address now, or somebody is between you and it. Nothing was
        sent: no name, no password.
      </p>
    </div>
    <Fingerprint title="It shows now" {...reached.key} />
    {(reached.known ?? []).map((key) => (
      <Fingerprint key={key.fingerprint} title="Known" {...key} />
    ))}
    <p>
      Look at the {reached.isJump ? "host" : "board"} itself before you do anything else:{" "}
      <code className={style.mono}>{checkCommand(reached.key.type)}</code>. If it was set up anew and it is in
      the fleet, its page has "Replace its key", where both fingerprints are compared. Otherwise find out who
      answers here.
    </p>
    <div className={style.buttons}>
      <Button variant="filled" onClick={onLeave} data-stage-focus>
        Leave
      </Button>
    </div>
  </>
);
