import "#renderer/ui/quiet-zod.ts";
import { Fragment } from "react";
import { useStore } from "zustand";
import { ALGORITHM_NAMES, type AlgorithmName } from "#contract/study.ts";
import { AlgorithmChip } from "#renderer/ui/words.tsx";
import { asSentence } from "./draft.ts";
import { useDraftStore, useSetting } from "./draft-store.ts";
import { FieldGroup, type FieldProps, Fields, NumberField, SwitchField } from "./fields.tsx";
import style from "./new-study.module.css";

const ABOUT: Readonly<Record<AlgorithmName, string>> = {
  fedavg: "Averages the devices' weights, by how many samples each has.",
  fedprox: "FedAvg, but each device is held back from going far from the global weights.",
  fedntd:
    "FedAvg, but each device keeps what the global model says about the classes that are not the true one.",
  fedavgm: "FedAvg with momentum in the server's step.",
  fedadam: "The server steps with Adam.",
  fedyogi: "The server steps with Yogi, an Adam that adapts more slowly.",
  fedmedian: "Takes the median of each weight: a few bad updates do no harm.",
  fedtrimmedavg: "Cuts off the lowest and highest of each weight, then averages.",
  fedper: "The classifier stays on each device; only the layers before it are shared.",
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Which algorithms are compared: any number of them, each in the colour that it has in every chart. */
export const AlgorithmsField = () => {
  const store = useDraftStore();
  const chosen = listOf(useSetting("algorithms"));
  const problem = useStore(store, ({ own, told }) =>
    [...own, ...told].find(({ path }) => path === "algorithms" || path.startsWith("algorithms[")),
  );
  const toggle = (name: AlgorithmName) =>
    store.set("algorithms", chosen.includes(name) ? chosen.filter((n) => n !== name) : [...chosen, name]);
  return (
    <fieldset
      className={style.toggles}
      {...(problem === undefined ? {} : { "aria-describedby": "algorithms-problem" })}
    >
      <legend>Algorithms</legend>
      <div className={style.toggleRow}>
        {ALGORITHM_NAMES.map((name, i) => (
          <button
            key={name}
            type="button"
            className={style.toggle}
            aria-pressed={chosen.includes(name)}
            title={ABOUT[name]}
            onClick={() => toggle(name)}
            {...(i === 0 ? { "data-path": "algorithms" } : {})}
          >
            <AlgorithmChip name={name} />
          </button>
        ))}
      </div>
      {problem !== undefined && (
        <p id="algorithms-problem" className={style.fieldProblem}>
          {asSentence(problem.message)}
        </p>
      )}
      <ul className={style.abouts}>
        {ALGORITHM_NAMES.filter((name) => chosen.includes(name)).map((name) => (
          <li key={name}>
            <b>{name}</b> {ABOUT[name]}
          </li>
        ))}
      </ul>
    </fieldset>
  );
};

const adaptive = (name: string): readonly FieldProps[] => [
  { path: `${name}.serverLr`, label: "Server learning rate", help: "How far the server goes each round." },
  { path: `${name}.beta1`, label: "Beta 1", help: "How much of the direction of earlier rounds is kept." },
  { path: `${name}.beta2`, label: "Beta 2", help: "How much of the size of earlier steps is kept." },
  { path: `${name}.tau`, label: "Tau", help: "The smaller, the more the steps adapt." },
];

const SETTINGS: Readonly<Record<string, readonly FieldProps[]>> = {
  fedprox: [
    {
      path: "fedprox.mu",
      label: "Mu",
      help: "How strongly a device is held to the global weights; 0 is FedAvg.",
    },
  ],
  fedntd: [
    { path: "fedntd.beta", label: "Beta", help: "How much keeping counts against learning; 0 is FedAvg." },
    { path: "fedntd.tau", label: "Tau", help: "Temperature: above 1, unlikely classes count more." },
  ],
  fedavgm: [
    {
      path: "fedavgm.momentum",
      label: "Server momentum",
      help: "How much of the last round's step is kept.",
    },
    { path: "fedavgm.serverLr", label: "Server learning rate", help: "1 takes the whole step." },
  ],
  fedadam: adaptive("fedadam"),
  fedyogi: adaptive("fedyogi"),
  fedtrimmedavg: [
    {
      path: "fedtrimmedavg.beta",
      label: "Share cut off",
      unit: "at each end",
      help: "0.2 leaves out the lowest and the highest fifth of the updates.",
    },
  ],
};

/** Settings of the algorithms that are chosen; the others have none to show. */
export const AlgorithmSettings = () => {
  const chosen = listOf(useSetting("algorithms"));
  const shown = ALGORITHM_NAMES.filter((name) => chosen.includes(name) && SETTINGS[name] !== undefined);
  if (shown.length === 0) return null;
  return (
    <FieldGroup title="Algorithm settings">
      {shown.map((name) => (
        <Fragment key={name}>
          <p className={style.subhead}>
            <AlgorithmChip name={name} />
          </p>
          <Fields>
            {SETTINGS[name]?.map((field) => (
              <NumberField key={field.path} {...field} />
            ))}
            {name === "fedntd" && (
              <SwitchField
                path="fedntd.tauSquared"
                label="Multiply by tau squared"
                help="Keeps the weight of the term when tau changes."
              />
            )}
          </Fields>
        </Fragment>
      ))}
    </FieldGroup>
  );
};
