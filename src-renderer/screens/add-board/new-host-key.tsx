import { Button } from "@mantine/core";
import type { BoardProblem, Reached } from "#contract/boards.ts";
import { BoardProblemBox } from "#renderer/screens/board/board-problem-box.tsx";
import { Fingerprint } from "#renderer/screens/board/fingerprint.tsx";
import { fingerprintCommand } from "#renderer/screens/board/host-key-check.ts";
import { Commands } from "#renderer/ui/commands.tsx";
import { Buttons, formClass } from "#renderer/ui/form.tsx";
import { placeText } from "./place-text.ts";

/** A machine that the lab has not seen before: only a person can say whether its key is the right one. */
export const NewHostKey = ({
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
}) => {
  const place = placeText(reached);
  return (
    <>
      {/* The focus is not on the button: a second Enter must not trust a key that nobody has looked at. */}
      <h3 tabIndex={-1} data-stage-focus>
        {reached.isJump ? `First the jump host: ${place}` : "Is this your board?"}
      </h3>
      <p>
        {reached.isJump
          ? `Your ~/.ssh/config reaches the board through ${place}. The lab has not seen that host before, so its key comes first.`
          : `The lab has not seen ${place} before, and has sent nothing secret yet.`}{" "}
        Its key has this fingerprint:
      </p>
      <Fingerprint title={`Host key of ${reached.host}`} {...reached.key} />
      <div className={formClass}>
        <p>
          Run this on the {reached.isJump ? "jump host" : "board"} itself, at its own screen or where you are
          already signed in, and compare:
        </p>
        <Commands
          lines={[fingerprintCommand(reached.key.type)]}
          what="the command"
          label="Command that prints the fingerprint"
        />
      </div>
      {problem !== undefined && <BoardProblemBox problem={problem} />}
      <Buttons>
        <Button variant="filled" onClick={onTrust} loading={busy}>
          It matches: trust it
        </Button>
        <Button onClick={onCancel}>It does not match: cancel</Button>
      </Buttons>
    </>
  );
};
