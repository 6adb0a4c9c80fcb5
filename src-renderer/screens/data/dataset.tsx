import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import type { DatasetView, SamplesView, Transfer } from "#contract/views.ts";
import { messageOf } from "#renderer/state/states.ts";
import { useData, useNow, useStates } from "#renderer/state/use-states.ts";
import { lastPartOf } from "#renderer/ui/address.ts";
import { asSentence, bytes, count, duration, plural } from "#renderer/ui/format.ts";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import style from "./data.module.css";
import { DataState } from "./data.tsx";
import { DatasetActions } from "./dataset-actions.tsx";
import { TransferLine } from "./transfer-line.tsx";
import { titleParts, VERIFIED } from "./transfer-words.ts";

/** One data set: what its pictures look like, how many there are of each class. */
export const DatasetScreen = () => {
  const name = lastPartOf(location.hash);
  const [, navigate] = useLocation();
  const view = useData((state) => state.view);
  const listProblem = useData((state) => state.problem);
  const entry = view?.entries.find((e) => e.name === name);
  const transfer = view?.transfers.find((t) => t.name === name);
  const busy = transfer?.state === "running";
  const ready = entry?.state === "ready";
  const { samples, problem, since } = useSamples(name, ready, entry?.where);
  const all = <Button onClick={() => navigate("/data")}>All data sets</Button>;
  if (view !== undefined && entry === undefined && !busy) {
    return (
      <Page title={name}>
        <Card>
          <Empty title="No such data set" text="It is not on the list of data sets.">
            {all}
          </Empty>
        </Card>
      </Page>
    );
  }
  return (
    <Page
      title={entry === undefined ? name : titleParts(entry.title).title}
      subtitle={
        entry === undefined ? (
          "Loading"
        ) : (
          <>
            <DataState entry={entry} />{" "}
            {samples === undefined
              ? entry.name
              : `${plural(samples.train, "training picture")} · ${plural(samples.test, "test picture")} · ${plural(samples.classes.length, "class", "classes")} · ${samples.width} × ${samples.height} pixels`}
          </>
        )
      }
      actions={
        <>
          {all}
          {ready && (
            <Button variant="filled" onClick={() => navigate(`/new?dataset=${encodeURIComponent(name)}`)}>
              Use in a new study
            </Button>
          )}
        </>
      }
    >
      {listProblem !== undefined && <Problem text={`The data sets could not be listed. ${listProblem}`} />}
      {entry !== undefined && !ready && !busy && <NotReady entry={entry} transfer={transfer} />}
      {busy && (
        <Card
          title="On its way"
          aside={entry !== undefined && <DatasetActions entry={entry} transfer={transfer} />}
        >
          <TransferLine transfer={transfer} />
        </Card>
      )}
      {problem !== undefined && <Problem text={problem} />}
      {ready && samples === undefined && problem === undefined && <Reading since={since} />}
      {samples !== undefined && (
        <div className={style.pair}>
          <Card title="Pictures" note="a row per class">
            <Sheet samples={samples} />
          </Card>
          <Counts samples={samples} />
        </div>
      )}
      {entry !== undefined && <About entry={entry} />}
    </Page>
  );
};

const useSamples = (name: string, ready: boolean, where: string | undefined) => {
  const { client } = useStates();
  const [since] = useState(() => Date.now());
  const [found, setFound] = useState<{ samples?: SamplesView; problem?: string }>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: other files under the same name have other pictures
  useEffect(() => {
    if (!ready) return setFound({});
    let left = false;
    client.data.samples({ name }).then(
      (samples) => left || setFound({ samples }),
      (error) => left || setFound({ problem: messageOf(error) }),
    );
    return () => {
      left = true;
    };
  }, [client, name, ready, where]);
  return { ...found, since };
};

const Reading = ({ since }: { readonly since: number }) => {
  const now = useNow();
  const seconds = Math.floor((now - since) / 1000);
  return (
    <Card>
      <Empty
        title="Reading the pictures"
        text={
          seconds < 2
            ? "\u00a0"
            : `Its files are read and unpacked for the first look, for ${duration(seconds)} so far.`
        }
      />
    </Card>
  );
};

const NotReady = ({
  entry,
  transfer,
}: {
  readonly entry: DatasetView;
  readonly transfer: Transfer | undefined;
}) => {
  const failed = transfer?.state === "failed" ? transfer.problem : undefined;
  const actions = <DatasetActions entry={entry} transfer={transfer} />;
  if (entry.state === "damaged")
    return (
      <Problem
        text={`${asSentence(entry.problem ?? "Its files are not what they should be")} ${entry.next ?? ""}`}
        action={actions}
      />
    );
  return (
    <Card>
      <Empty
        title="Not on this computer"
        text={entry.next ?? "Register a copy on the page of all data sets."}
      >
        {actions}
      </Empty>
      {failed !== undefined && <p className={style.failed}>{failed}</p>}
    </Card>
  );
};

/** Pictures are drawn large enough to be told apart, in whole steps. */
const Sheet = ({ samples }: { readonly samples: SamplesView }) => {
  const { classes, columns, width, height, sheet } = samples;
  const scale = Math.max(1, Math.round(56 / height));
  const many = classes.length > 20;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a large sheet is scrolled with the keyboard, too
    <section className={style.sheetBox} tabIndex={0} aria-label="Pictures of each class">
      <div className={style.sheet}>
        <ol aria-hidden style={{ height: classes.length * height * scale }}>
          {classes.map((label) => (
            <li key={label} title={label}>
              {label}
            </li>
          ))}
        </ol>
        <img
          src={sheet}
          width={columns * width * scale}
          height={classes.length * height * scale}
          alt={`${columns} pictures of each class: ${many ? `${classes.slice(0, 20).join(", ")} and ${classes.length - 20} more` : classes.join(", ")}`}
        />
      </div>
    </section>
  );
};

const Counts = ({ samples }: { readonly samples: SamplesView }) => {
  const most = Math.max(1, ...samples.perClass);
  return (
    <Card title="Training pictures per class">
      <div className={style.countsBox}>
        <table className={style.counts}>
          <tbody>
            {samples.classes.map((label, i) => {
              const n = samples.perClass[i] ?? 0;
              return (
                <tr key={label}>
                  <th scope="row" title={label}>
                    {label}
                  </th>
                  <td>
                    <span className={style.countBar} style={{ width: `${(n / most) * 100}%` }} />
                  </td>
                  <td data-num>{count(n)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
};

const About = ({ entry }: { readonly entry: DatasetView }) => {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["Name in studies", entry.name],
    ["What", titleParts(entry.title).about],
    ["Where", entry.where],
    ["Format", entry.format],
    ["Size", entry.bytes === undefined ? undefined : bytes(entry.bytes)],
    ["Verified", entry.verified === undefined ? undefined : VERIFIED[entry.verified]],
    ["Terms", entry.terms],
  ];
  return (
    <Card title="About it">
      <dl className={style.facts}>
        {facts.map(
          ([title, value]) =>
            value !== undefined && (
              <div key={title}>
                <dt>{title}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </Card>
  );
};
