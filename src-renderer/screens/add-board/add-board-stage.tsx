import { useState } from "react";
import type { BoardView } from "#contract/boards.ts";
import { AddressForm } from "#renderer/screens/board/address-form.tsx";
import { Problem } from "#renderer/ui/page.tsx";
import type { Adding } from "./add-board.ts";
import { AddedBoard } from "./added-board.tsx";
import { ChangedHostKey } from "./changed-host-key.tsx";
import { NameAndSignIn } from "./name-and-sign-in.tsx";
import { NewHostKey } from "./new-host-key.tsx";
import { ReachBoard } from "./reach-board.tsx";
import { useReachBoard } from "./use-reach-board.ts";

/** The current step of adding a board. */
export const AddBoardStage = ({
  adding,
  view,
  viewProblem,
  taken,
  onChange,
  onClose,
}: {
  readonly adding: Adding;
  readonly view: BoardView | undefined;
  readonly viewProblem: string | undefined;
  readonly taken: readonly string[];
  readonly onChange: (next: Adding) => void;
  readonly onClose: () => void;
}) => {
  const [typed, setTyped] = useState("");
  const [isConfigured, setIsConfigured] = useState(false);
  const { reach, leave, trust, busy, trustProblem } = useReachBoard(onChange);

  switch (adding.at) {
    case "address":
      return (
        <AddressForm
          typed={typed}
          onType={setTyped}
          onTarget={(target, configured) => {
            setIsConfigured(configured);
            void reach(target);
          }}
          onCancel={onClose}
        />
      );
    case "reaching":
      return <ReachBoard adding={adding} onRetry={() => reach(adding.target)} onAddress={leave} />;
    case "host-key":
      return adding.reached.trust === "changed" ? (
        <ChangedHostKey reached={adding.reached} onLeave={onClose} />
      ) : (
        <NewHostKey
          reached={adding.reached}
          busy={busy}
          problem={trustProblem}
          onTrust={() => trust(adding)}
          onCancel={onClose}
        />
      );
    case "sign-in":
    case "adding":
      return (
        <NameAndSignIn
          adding={adding}
          taken={taken}
          isConfigured={isConfigured}
          onChange={onChange}
          onAddress={() => onChange({ at: "address" })}
        />
      );
    case "added":
      return view === undefined ? (
        viewProblem === undefined ? (
          <h3>Reading the board's hardware and system</h3>
        ) : (
          <Problem text={viewProblem} />
        )
      ) : (
        <AddedBoard
          view={view}
          onClose={onClose}
          onAnother={() => {
            setTyped("");
            onChange({ at: "address" });
          }}
        />
      );
  }
};
