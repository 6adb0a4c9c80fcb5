import { Button } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import type { ReadyCheck, StudyCost, Transfer } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useData, useNow, useStates } from "#renderer/state/use-states.ts";
import { asSentence, bytes, count, duration, estimate, plural } from "#renderer/ui/format.ts";
import { Card, Problem, Small } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import { useDraftStore } from "./draft-store.ts";
import { focusField } from "./focus-field.ts";
import { useLacking } from "./lacking.ts";
import style from "./new-study.module.css";
import type { Prepared } from "./use-preparation.ts";

const MARKS = { ok: "✓", warning: "!", missing: "✕" } as const;
const WORDS = { ok: "Ready", warning: "Warning", missing: "Missing" } as const;

/** From this wait on, the page says what it is waiting for. */
const PATIENCE_MS = 2000;

/** Does the lab have everything that the study needs? What one click can fix has a button. */
export const Ready = ({ prepared }: { readonly prepared: Prepared }) => {
  const { answer, problem } = prepared;
  const { fields } = useLacking(answer);
  return (
    <Card title="Readiness">
      {problem !== undefined && <Problem text={`The lab could not check this study. ${problem}`} />}
      <ul className={style.checks} aria-label="Readiness checks">
        {fields.map(({ path, message }) => (
          <li key={`${path} ${message}`} data-state="missing">
            <Mark state="missing" />
            <span>
              {path === "" ? (
                asSentence(message)
              ) : (
                <>
                  <button type="button" className={style.toField} onClick={() => focusField(path)}>
                    {path}
                  </button>
                  : {message}
                </>
              )}
            </span>
          </li>
        ))}
        {answer?.checks.map((check) => (
          <Check key={`${check.kind} ${check.text} ${check.mend?.label ?? ""}`} check={check} />
        ))}
      </ul>
      {answer === undefined && problem === undefined && <Small>Checking data, devices and engine …</Small>}
      <Awaited since={prepared.since} />
    </Card>
  );
};

const Mark = ({ state }: { readonly state: ReadyCheck["state"] }) => (
  <span className={style.mark} data-state={state} role="img" aria-label={WORDS[state]}>
    {MARKS[state]}
  </span>
);

const Awaited = ({ since }: { readonly since: number | undefined }) =>
  since === undefined ? null : <AwaitedSince since={since} />;

const AwaitedSince = ({ since }: { readonly since: number }) => {
  const waited = useNow() - since;
  return waited < PATIENCE_MS ? null : (
    <p className={style.help}>The lab has been reading the data for {duration(Math.round(waited / 1000))}.</p>
  );
};

const Check = ({ check }: { readonly check: ReadyCheck }) => (
  <li data-state={check.state}>
    <Mark state={check.state} />
    <div>
      {check.text}
      {check.mend !== undefined && <Mend mend={check.mend} />}
    </div>
  </li>
);

const Mend = ({ mend }: { readonly mend: NonNullable<ReadyCheck["mend"]> }) => {
  const store = useDraftStore();
  const [, navigate] = useLocation();
  if (mend.do === "download") return <Download dataset={mend.dataset} label={mend.label} />;
  const act = () => (mend.do === "set" ? store.patch(mend.patch) : navigate(`/${mend.page}`));
  return (
    <div className={style.buttons}>
      <Button size="xs" onClick={act}>
        {mend.label}
      </Button>
    </div>
  );
};

const Download = ({ dataset, label }: { readonly dataset: string; readonly label: string }) => {
  const states = useStates();
  const toast = useToast();
  const transfer = useData((state) => state.view?.transfers.find(({ name }) => name === dataset));
  const [busy, setBusy] = useState(false);
  const act = (ask: (input: { name: string }) => ReturnType<typeof states.client.data.view>) => async () => {
    setBusy(true);
    try {
      states.setData(await ask({ name: dataset }));
    } catch (error) {
      toast({ tone: "bad", text: messageOf(error) });
    } finally {
      setBusy(false);
    }
  };
  const isRunning = transfer?.state === "running";
  return (
    <>
      {isRunning && <Progress transfer={transfer} />}
      {transfer?.state === "failed" && <p className={style.fieldProblem}>{transfer.problem}</p>}
      <div className={style.buttons}>
        {isRunning ? (
          <Button size="xs" loading={busy} onClick={act(states.client.data.stopDownload)}>
            Cancel download
          </Button>
        ) : (
          <Button size="xs" variant="filled" loading={busy} onClick={act(states.client.data.download)}>
            {label}
          </Button>
        )}
      </div>
    </>
  );
};

const Progress = ({ transfer }: { readonly transfer: Transfer }) => (
  <div className={style.download}>
    <progress
      aria-label={`Download of ${transfer.name}`}
      {...(transfer.total === undefined ? {} : { max: transfer.total, value: transfer.done ?? 0 })}
    />
    <Small>
      {bytes(transfer.done ?? 0)}
      {transfer.total === undefined ? "" : ` of ${bytes(transfer.total)}`}
    </Small>
  </div>
);

/** What the study costs: rounds, time, network. */
export const Cost = ({
  cost,
  rounds,
  runs,
}: {
  readonly cost: StudyCost;
  readonly rounds: number;
  readonly runs: number;
}) => (
  <Card title="Estimated cost">
    <dl className={style.cost}>
      <div>
        <dt>Rounds</dt>
        <dd>
          {count(rounds * runs)}
          <small>
            {plural(runs, "run")} of {plural(rounds, "round")}
          </small>
        </dd>
      </div>
      <div>
        <dt>Time</dt>
        <dd>
          {cost.seconds === undefined ? "–" : `about ${estimate(cost.seconds)}`}
          <small>{cost.seconds === undefined ? "not measured yet on this computer" : cost.basis}</small>
        </dd>
      </div>
      <div>
        <dt>Network</dt>
        <dd>
          {bytes(cost.wireBytes)}
          <small>{plural(cost.clientsPerRound, "device")} drawn per round</small>
        </dd>
      </div>
      <div>
        <dt>Model</dt>
        <dd>
          {count(cost.parameters)}
          <small>parameters, {bytes(cost.updateBytes)} per update</small>
        </dd>
      </div>
    </dl>
  </Card>
);
