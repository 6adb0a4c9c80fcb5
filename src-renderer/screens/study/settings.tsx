import { memo } from "react";
import { type AlgorithmName, definitionOf } from "#contract/algorithms/algorithms.ts";
import type { Study } from "#contract/study.ts";
import type { StudyView } from "#contract/views.ts";
import { ENGINE_TITLES } from "#renderer/ui/engine-titles.ts";
import { plural, someOf } from "#renderer/ui/format.ts";
import { Card } from "#renderer/ui/page.tsx";
import { OPTIMIZER_TITLES, partitionTitle } from "#renderer/ui/study-words.ts";
import style from "./study.module.css";

/** The settings of the study: enough to tell two studies apart. */
export const Settings = memo(
  ({
    study,
    engine,
    datasetSha,
  }: {
    readonly study: Study;
    readonly engine: StudyView["engine"];
    readonly datasetSha: string | undefined;
  }) => (
    <Card title="Settings">
      <dl className={style.settings}>
        {settingsOf(study, engine, datasetSha).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  ),
);
Settings.displayName = "Settings";

const settingsOf = (
  study: Study,
  engine: StudyView["engine"],
  datasetSha: string | undefined,
): readonly (readonly [string, string])[] => {
  const { optimizer: o, sampling: s } = study;
  return [
    ["Data", `${study.dataset}${datasetSha === undefined ? "" : ` (${datasetSha.slice(0, 8)})`}`],
    ["Model", study.model],
    ...(study.fleet.devices === undefined ? [] : [["Boards", someOf(study.fleet.devices, 4)] as const]),
    ["Partition", partitionText(study.partition)],
    ["Rounds × trials", `${study.rounds} × ${study.trials}`],
    ["Drawn per round", `${Math.round(s.fraction * 100)}% of the devices, at least ${s.minFit}`],
    ["Local training", `${plural(study.localEpochs, "epoch")}, batches of ${study.batchSize}`],
    [
      "Optimizer",
      `${OPTIMIZER_TITLES[o.kind]}, learning rate ${o.lr}${o.lrDecay === 1 ? "" : ` × ${o.lrDecay} per round`}, momentum ${o.momentum}, weight decay ${o.weightDecay}`,
    ],
    ...study.algorithms.flatMap((name) => algorithmLine(name, study)),
    ["Seed", String(study.seed)],
    ["Engine", `${ENGINE_TITLES[engine.kind]}, ${engine.version}`],
  ];
};

/** Each algorithm with all of its own settings; an algorithm without settings has no line. */
const algorithmLine = (name: AlgorithmName, study: Study): readonly (readonly [string, string])[] => {
  const { title, fields = [] } = definitionOf(name);
  const settings = (study as Readonly<Record<string, unknown>>)[name] as Readonly<Record<string, unknown>>;
  const said = fields.map(({ key, label, kind }) =>
    kind === "switch"
      ? `${label.toLowerCase()}: ${settings[key] ? "yes" : "no"}`
      : `${label.toLowerCase()} ${settings[key]}`,
  );
  return said.length === 0 ? [] : [[title, said.join(", ")]];
};

const partitionText = (partition: Study["partition"]): string => {
  const title = partitionTitle(partition.kind);
  switch (partition.kind) {
    case "iid":
      return `${title}: a random share per device`;
    case "shards":
      return `${title}: ${partition.shardsPerClient} per device`;
    case "dirichlet":
      return `${title}: alpha ${partition.alpha}`;
    case "class-skew":
      return `${title}: ${plural(partition.classes, "main class", "main classes")} per device, weighted ${partition.high} : ${partition.low}`;
  }
};
