import { Button, Checkbox } from "@mantine/core";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import type { BoardView, StepId } from "#contract/boards.ts";
import type { DeviceView } from "#contract/views.ts";
import { openSteps, wantsSudo } from "#renderer/screens/board/set-up-plan.ts";
import { SudoPassword } from "#renderer/screens/board/sudo-password.tsx";
import { boardPath } from "#renderer/screens/board/use-board-actions.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useFleet, useStates } from "#renderer/state/use-states.ts";
import { Buttons, formClass, noteClass } from "#renderer/ui/form.tsx";
import { plural } from "#renderer/ui/format.ts";
import { Problem } from "#renderer/ui/page.tsx";

/** Sets up the boards that were just added; the person consents once for all of them. */
export const ManySetUp = ({ names }: { readonly names: readonly string[] }) => {
  const { client } = useStates();
  const { views, problem } = useBoardViews(names);
  const [started, setStarted] = useState(false);
  const [problems, setProblems] = useState<readonly string[]>([]);
  const open = views.filter(
    ({ plan, setup }) => plan !== undefined && !plan.ready && !plan.running && setup !== "unsupported",
  );
  const setUp = async (agreed: ReadonlySet<StepId>, sudo: string) => {
    const failed: string[] = [];
    for (const { name } of open) {
      try {
        await client.boards.provision({
          name,
          agreed: [...agreed],
          ...(sudo === "" ? {} : { sudoPassword: sudo }),
        });
      } catch (error) {
        failed.push(`${name}: ${messageOf(error)}`);
      }
    }
    setProblems(failed);
    setStarted(true);
  };
  if (!started && open.length > 0) return <Consent boards={open} onSetUp={setUp} />;
  return (
    <div className={formClass}>
      {started && <SetUpProgress names={names} />}
      {[...(problem === undefined ? [] : [problem]), ...problems].map((text) => (
        <Problem key={text} text={text} />
      ))}
    </div>
  );
};

const useBoardViews = (names: readonly string[]) => {
  const { client } = useStates();
  const [views, setViews] = useState<readonly BoardView[]>([]);
  const [problem, setProblem] = useState<string>();
  const key = names.join(" ");
  useEffect(() => {
    let left = false;
    Promise.all(key.split(" ").map((name) => client.boards.get({ name }))).then(
      (found) => left || setViews(found),
      (error) => left || setProblem(messageOf(error)),
    );
    return () => {
      left = true;
    };
  }, [client, key]);
  return { views, problem };
};

const isReady = ({ board }: DeviceView): boolean => board?.setup === "ready";

const SetUpProgress = ({ names }: { readonly names: readonly string[] }) => {
  const fleet = useFleet((state) => state.view?.devices);
  const devices = (fleet ?? []).filter(({ name }) => names.includes(name));
  const ready = devices.filter(isReady).length;
  const running = devices.filter(({ board }) => board?.setup === "running").length;
  return (
    <>
      <p role="status">
        {ready} of {plural(names.length, "board")} ready
        {running > 0 ? `, ${running} setting up. The setup continues if you close this dialog` : ""}.
      </p>
      {running === 0 && ready < names.length && (
        <p>
          The pages of the other boards say what they need:{" "}
          {devices
            .filter((device) => !isReady(device))
            .map(({ name }) => (
              <span key={name}>
                <Link href={boardPath(name, "set-up")}>{name}</Link>{" "}
              </span>
            ))}
        </p>
      )}
    </>
  );
};

/** What the steps of all these boards need the person's consent for; the same consent is asked once. */
const consentsOf = (boards: readonly BoardView[]): ReadonlyMap<StepId, string> =>
  new Map(
    boards.flatMap(({ plan }) =>
      openSteps(plan?.steps ?? []).flatMap(({ id, consent }) =>
        consent === undefined ? [] : [[id, consent] as const],
      ),
    ),
  );

const Consent = ({
  boards,
  onSetUp,
}: {
  readonly boards: readonly BoardView[];
  readonly onSetUp: (agreed: ReadonlySet<StepId>, sudo: string) => Promise<void>;
}) => {
  const [agreed, setAgreed] = useState<ReadonlySet<StepId>>(new Set());
  const [sudo, setSudo] = useState("");
  const [busy, setBusy] = useState(false);
  const consents = consentsOf(boards);
  const needsSudo = boards.some((view) => view.plan !== undefined && wantsSudo(view, view.plan));
  const isLacking = [...consents.keys()].some((id) => !agreed.has(id));
  const agree = (id: StepId, yes: boolean) =>
    setAgreed((before) => {
      const next = new Set(before);
      if (yes) next.add(id);
      else next.delete(id);
      return next;
    });
  return (
    <form
      className={formClass}
      onSubmit={(event) => {
        event.preventDefault();
        setBusy(true);
        void onSetUp(agreed, sudo);
      }}
    >
      <h3>Set up {boards.length === 1 ? boards[0]?.name : `all ${boards.length} boards`} now</h3>
      <p className={noteClass}>
        Each board's page lists its steps and commands. You can also set up the boards there, one by one.
      </p>
      {[...consents].map(([id, consent]) => (
        <Checkbox
          key={id}
          checked={agreed.has(id)}
          onChange={(event) => agree(id, event.currentTarget.checked)}
          label={consent}
        />
      ))}
      {needsSudo && (
        <SudoPassword
          description="The same on all boards. Used for this setup only and not kept."
          value={sudo}
          onChange={setSudo}
        />
      )}
      <Buttons>
        <Button type="submit" variant="filled" loading={busy} disabled={isLacking}>
          Set up {plural(boards.length, "board")}
        </Button>
        {isLacking && <span className={noteClass}>Agree first, or set them up later.</span>}
      </Buttons>
    </form>
  );
};
