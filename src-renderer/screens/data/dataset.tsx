import { Button } from "@mantine/core";
import { useLocation } from "wouter";
import type { DatasetView, SamplesView, Transfer } from "#contract/views.ts";
import { useData, useNow } from "#renderer/state/use-states.ts";
import { lastPartOf } from "#renderer/ui/address.ts";
import { Elapsed } from "#renderer/ui/elapsed.tsx";
import { type Fact, FactList } from "#renderer/ui/fact-list.tsx";
import { bytes, plural } from "#renderer/ui/format.ts";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import style from "./dataset.module.css";
import { DatasetActions } from "./dataset-actions.tsx";
import { DatasetSamples } from "./dataset-samples.tsx";
import { DatasetState } from "./dataset-state.tsx";
import { damageText, formatText, titleParts, VERIFIED } from "./dataset-text.ts";
import { TransferLine } from "./transfer-line.tsx";
import { useSamples } from "./use-samples.ts";

/** One data set: what its images look like, and how many there are of each class. */
export const DatasetScreen = () => {
  const name = lastPartOf(location.hash);
  const [, navigate] = useLocation();
  const view = useData((state) => state.view);
  const listProblem = useData((state) => state.problem);
  const entry = view?.entries.find((e) => e.name === name);
  const transfer = view?.transfers.find((t) => t.name === name);
  const isTransferring = transfer?.state === "running";
  const ready = entry?.state === "ready";
  const { samples, problem, since } = useSamples(name, ready, entry?.where);
  if (view !== undefined && entry === undefined && !isTransferring) return <NoSuchDataset name={name} />;
  return (
    <Page
      title={entry === undefined ? name : titleParts(entry.title).title}
      subtitle={
        entry === undefined ? (
          "Loading"
        ) : (
          <>
            <DatasetState state={entry.state} /> {samples === undefined ? entry.name : sizeText(samples)}
          </>
        )
      }
      actions={
        <>
          <AllDatasets />
          {ready && (
            <Button variant="filled" onClick={() => navigate(`/new?dataset=${encodeURIComponent(name)}`)}>
              Use in a new study
            </Button>
          )}
        </>
      }
    >
      {listProblem !== undefined && <Problem text={`Could not list the data sets. ${listProblem}`} />}
      {entry !== undefined && !ready && !isTransferring && (
        <DatasetNotReady entry={entry} transfer={transfer} />
      )}
      {isTransferring && (
        <Card
          title={transfer.what === "download" ? "Downloading" : "Registering"}
          aside={entry !== undefined && <DatasetActions entry={entry} transfer={transfer} />}
        >
          <TransferLine transfer={transfer} />
        </Card>
      )}
      {problem !== undefined && <Problem text={problem} />}
      {ready && samples === undefined && problem === undefined && <ReadingImages since={since} />}
      {samples !== undefined && <DatasetSamples samples={samples} />}
      {entry !== undefined && <DatasetDetails entry={entry} />}
    </Page>
  );
};

const sizeText = ({ train, test, classes, width, height }: SamplesView): string =>
  [
    plural(train, "training image"),
    plural(test, "test image"),
    plural(classes.length, "class", "classes"),
    `${width} × ${height} pixels`,
  ].join(" · ");

const AllDatasets = () => {
  const [, navigate] = useLocation();
  return <Button onClick={() => navigate("/data")}>All data sets</Button>;
};

const NoSuchDataset = ({ name }: { readonly name: string }) => (
  <Page title={name}>
    <Card>
      <Empty title="Data set not found" text={`No data set on the list is named ${name}.`}>
        <AllDatasets />
      </Empty>
    </Card>
  </Page>
);

/** Most data sets are read before a person could read this. */
const CALM_MS = 2000;

const ReadingImages = ({ since }: { readonly since: number }) => (
  <Card>
    <Empty
      title="Reading the images"
      text={
        useNow() - since < CALM_MS ? (
          "\u00a0"
        ) : (
          <>
            The first time, the lab reads and unpacks all files. It has taken <Elapsed since={since} /> so
            far.
          </>
        )
      }
    />
  </Card>
);

const DatasetNotReady = ({
  entry,
  transfer,
}: {
  readonly entry: DatasetView;
  readonly transfer: Transfer | undefined;
}) => {
  const actions = <DatasetActions entry={entry} transfer={transfer} />;
  if (entry.state === "damaged") return <Problem text={damageText(entry)} action={actions} />;
  return (
    <Card>
      <Empty title="Not downloaded" text={entry.next ?? "Register a copy on the Data page."}>
        {actions}
      </Empty>
      {transfer?.state === "failed" && <p className={style.failed}>{transfer.problem}</p>}
    </Card>
  );
};

const DatasetDetails = ({ entry }: { readonly entry: DatasetView }) => {
  const facts: readonly Fact[] = [
    ["Name in studies", entry.name],
    ["Contents", titleParts(entry.title).about],
    ["Location", entry.where],
    ["Format", entry.format === undefined ? undefined : formatText(entry.format)],
    ["Size", entry.bytes === undefined ? undefined : bytes(entry.bytes)],
    ["Verification", entry.verified === undefined ? undefined : VERIFIED[entry.verified]],
    ["Licence", entry.terms],
  ];
  return (
    <Card title="Details">
      <FactList facts={facts} />
    </Card>
  );
};
