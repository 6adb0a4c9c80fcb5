import { Button } from "@mantine/core";
import { useRef, useState } from "react";
import { useLocation } from "wouter";
import type { BoardAction, BoardProblem, BoardView } from "#contract/boards.ts";
import style from "#renderer/screens/board/board.module.css";
import { BoardFactsList } from "#renderer/screens/board/board-facts.tsx";
import { BoardProblemBox } from "#renderer/screens/board/board-problem.tsx";
import { SetUp } from "#renderer/screens/board/set-up.tsx";
import { boardPath, useBoardActions } from "#renderer/screens/board/use-board-actions.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Problem } from "#renderer/ui/page.tsx";
import { type Adding, afterReach } from "./add-board.ts";
import { AddressForm } from "./address-form.tsx";
import { targetText } from "./board-target.ts";
import { ChangedKey, NewKey } from "./host-key.tsx";
import { NameAndSignIn } from "./name-and-sign-in.tsx";

/** The step that the addition of a board is at. */
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
  const { client } = useStates();
  const [typed, setTyped] = useState("");
  const [isConfigured, setIsConfigured] = useState(false);
  const [busy, setBusy] = useState(false);
  const asked = useRef(0);
  const [trustProblem, setTrustProblem] = useState<BoardProblem>();

  const reach = async (target: Extract<Adding, { at: "reaching" }>["target"]) => {
    asked.current += 1;
    const mine = asked.current;
    onChange({ at: "reaching", target });
    let next: Adding;
    try {
      next = afterReach(target, await client.boards.reach({ target }));
    } catch (error) {
      next = { at: "reaching", target, problem: asBoardProblem(error) };
    }
    // whoever went back to the address meanwhile is not taken away from it
    if (asked.current === mine) onChange(next);
  };
  const leaveReach = () => {
    asked.current += 1;
    onChange({ at: "address" });
  };
  const trust = async (step: Extract<Adding, { at: "host-key" }>) => {
    const { host, port, key } = step.reached;
    setBusy(true);
    setTrustProblem(undefined);
    try {
      await client.boards.trust({ host, port, fingerprint: key.fingerprint });
      // behind a host in between there is the next one to be looked at
      if (step.reached.isJump) await reach(step.target);
      else onChange({ at: "sign-in", target: step.target, reached: { ...step.reached, trust: "known" } });
    } catch (error) {
      setTrustProblem(asBoardProblem(error));
    } finally {
      setBusy(false);
    }
  };

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
      return adding.problem === undefined ? (
        <>
          <h3>Looking who answers at {targetText(adding.target)}</h3>
          <p className={style.note}>Nothing secret is sent. A board that is asleep may take some seconds.</p>
          <div className={style.buttons}>
            <Button onClick={leaveReach} data-stage-focus>
              Another address
            </Button>
          </div>
        </>
      ) : (
        <>
          <h3>{targetText(adding.target)} was not reached</h3>
          <BoardProblemBox
            problem={adding.problem}
            hide={["retry", "edit-target", "sign-in"]}
            onAction={() => {}}
          />
          <div className={style.buttons}>
            <Button variant="filled" onClick={() => reach(adding.target)} data-stage-focus>
              Try again
            </Button>
            <Button onClick={() => onChange({ at: "address" })}>Change the address</Button>
          </div>
        </>
      );
    case "host-key":
      return adding.reached.trust === "changed" ? (
        <ChangedKey reached={adding.reached} onLeave={onClose} />
      ) : (
        <NewKey
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
          <h3>Reading what was found</h3>
        ) : (
          <Problem text={viewProblem} />
        )
      ) : (
        <Added
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

/** It is in the fleet: what was found, and what is still to be done. */
const Added = ({
  view,
  onClose,
  onAnother,
}: {
  readonly view: BoardView;
  readonly onClose: () => void;
  readonly onAnother: () => void;
}) => {
  const { name, facts, plan } = view;
  const [, navigate] = useLocation();
  const actions = useBoardActions(name);
  const onAction = (action: BoardAction) => {
    if (action.do !== "retry") onClose();
    void actions.run(action, view);
  };
  const problem = view.state === "online" ? undefined : view.problem;
  return (
    <>
      <h3 tabIndex={-1} {...(plan?.ready === true ? {} : { "data-stage-focus": true })}>
        {plan?.ready === true ? `${name} is ready` : `${name} is in the fleet`}
      </h3>
      {problem !== undefined && <BoardProblemBox problem={problem} onAction={onAction} busy={actions.busy} />}
      {facts !== undefined && <BoardFactsList facts={facts} />}
      {facts?.unsupported !== undefined && <Problem text={facts.unsupported} />}
      {plan !== undefined && facts?.unsupported === undefined && (
        <SetUp view={view} plan={plan} onAction={onAction} />
      )}
      {plan === undefined && facts?.unsupported === undefined && (
        <div className={style.buttons}>
          <Button onClick={() => actions.probe()} loading={actions.busy === "probe"} data-stage-focus>
            Look what it needs
          </Button>
        </div>
      )}
      <div className={style.buttons}>
        {plan?.ready === true && (
          <Button variant="filled" onClick={onClose} data-stage-focus>
            Done
          </Button>
        )}
        <Button
          onClick={() => {
            onClose();
            navigate(boardPath(name));
          }}
        >
          Open its page
        </Button>
        <Button onClick={onAnother}>Add another board</Button>
      </div>
    </>
  );
};
