import { Button, Checkbox, PasswordInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import type { BoardView, StepId } from "#contract/boards.ts";
import style from "#renderer/screens/board/board.module.css";
import { openSteps } from "#renderer/screens/board/board-words.ts";
import { wantsSudo } from "#renderer/screens/board/set-up-form.ts";
import { boardPath } from "#renderer/screens/board/use-board-actions.ts";
import { messageOf } from "#renderer/state/states.ts";
import { useFleet, useStates } from "#renderer/state/use-states.ts";
import { plural } from "#renderer/ui/format.ts";
import { Problem } from "#renderer/ui/page.tsx";

/** What the boards that were added need, agreed to once for all of them. */
export const ManySetUp = ({ names }: { readonly names: readonly string[] }) => {
  const { client } = useStates();
  const fleet = useFleet((state) => state.view?.devices);
  const [views, setViews] = useState<readonly BoardView[]>([]);
  const [agreed, setAgreed] = useState<ReadonlySet<StepId>>(new Set());
  const [sudo, setSudo] = useState("");
  const [busy, setBusy] = useState(false);
  const [begun, setBegun] = useState(false);
  const [problems, setProblems] = useState<readonly string[]>([]);
  const key = names.join(" ");
  useEffect(() => {
    let left = false;
    Promise.all(key.split(" ").map((name) => client.boards.get({ name }))).then(
      (found) => left || setViews(found),
      (error) => left || setProblems([messageOf(error)]),
    );
    return () => {
      left = true;
    };
  }, [client, key]);
  const open = views.filter(
    ({ plan, setup }) => plan !== undefined && !plan.ready && !plan.running && setup !== "unsupported",
  );
  const consents = new Map(
    open.flatMap(({ plan }) =>
      openSteps(plan?.steps ?? []).flatMap(({ id, consent }) =>
        consent === undefined ? [] : [[id, consent] as const],
      ),
    ),
  );
  const needsSudo = open.some((view) => view.plan !== undefined && wantsSudo(view, view.plan));
  const states = (fleet ?? []).filter(({ name }) => names.includes(name));
  const ready = states.filter(({ board }) => board?.setup === "ready").length;
  const running = states.filter(({ board }) => board?.setup === "running").length;
  const setUp = async () => {
    setBusy(true);
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
    setBegun(true);
    setBusy(false);
  };
  if (begun || open.length === 0) {
    return (
      <div className={style.form}>
        {begun && (
          <p role="status">
            {ready} of {plural(names.length, "board")} ready
            {running > 0 ? `, ${running} being set up. It goes on when this is closed` : ""}.
          </p>
        )}
        {problems.map((text) => (
          <Problem key={text} text={text} />
        ))}
        {begun && running === 0 && ready < names.length && (
          <p>
            Those that are not ready say why on their own pages:{" "}
            {states
              .filter(({ board }) => board?.setup !== "ready")
              .map(({ name }) => (
                <span key={name}>
                  <Link href={boardPath(name, "set-up")}>{name}</Link>{" "}
                </span>
              ))}
          </p>
        )}
      </div>
    );
  }
  return (
    <form
      className={style.form}
      onSubmit={(event) => {
        event.preventDefault();
        void setUp();
      }}
    >
      <h3>Set up {open.length === 1 ? open[0]?.name : `all ${open.length}`} now</h3>
      <p className={style.note}>
        What each needs, with its commands, stands on its own page; there it can be done one by one, too.
      </p>
      {[...consents].map(([id, consent]) => (
        <Checkbox
          key={id}
          checked={agreed.has(id)}
          onChange={(event) => {
            const next = new Set(agreed);
            if (event.currentTarget.checked) next.add(id);
            else next.delete(id);
            setAgreed(next);
          }}
          label={consent}
        />
      ))}
      {needsSudo && (
        <PasswordInput
          label="Password for sudo"
          description="The same on all of them; used for this run only and kept nowhere."
          value={sudo}
          onChange={(event) => setSudo(event.currentTarget.value)}
          autoComplete="off"
        />
      )}
      <div className={style.buttons}>
        <Button
          type="submit"
          variant="filled"
          loading={busy}
          disabled={[...consents.keys()].some((id) => !agreed.has(id))}
        >
          Set up {plural(open.length, "board")}
        </Button>
        {[...consents.keys()].some((id) => !agreed.has(id)) && (
          <span className={style.note}>Agree first, or leave it for later.</span>
        )}
      </div>
    </form>
  );
};
