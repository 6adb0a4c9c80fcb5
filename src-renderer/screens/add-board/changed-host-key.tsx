import { Button } from "@mantine/core";
import type { Reached } from "#contract/boards.ts";
import { ProblemFrame } from "#renderer/screens/board/board-problem-box.tsx";
import { Fingerprint } from "#renderer/screens/board/fingerprint.tsx";
import { fingerprintCommand } from "#renderer/screens/board/host-key-check.ts";
import { Buttons, monoClass } from "#renderer/ui/form.tsx";
import { placeText } from "./place-text.ts";

/** A host key that is not the known one. There is no button that accepts it. */
export const ChangedHostKey = ({
  reached,
  onLeave,
}: {
  readonly reached: Reached;
  readonly onLeave: () => void;
}) => (
  <>
    <ProblemFrame title={`The host key of ${placeText(reached)} has changed`}>
      <p>
        It is not the key that you trusted before. Either the board was reinstalled (a fresh SD card has new
        keys), another board now has its address, or someone is intercepting the connection. The lab sent
        nothing: no user name, no password.
      </p>
    </ProblemFrame>
    <Fingerprint title="Shown now" {...reached.key} />
    {(reached.known ?? []).map((key) => (
      <Fingerprint key={key.fingerprint} title="Known key" {...key} />
    ))}
    <p>
      Check on the {reached.isJump ? "jump host" : "board"} itself first:{" "}
      <code className={monoClass}>{fingerprintCommand(reached.key.type)}</code>. If it was reinstalled and is
      in the fleet, compare both fingerprints on its page under Settings, Host key, Replace. Otherwise find
      out which machine answers here.
    </p>
    <Buttons>
      <Button variant="filled" onClick={onLeave} data-stage-focus>
        Close
      </Button>
    </Buttons>
  </>
);
