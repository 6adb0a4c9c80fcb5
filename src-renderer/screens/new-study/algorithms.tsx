import { Fragment } from "react";
import { useStore } from "zustand";
import {
  ALGORITHM_NAMES,
  type AlgorithmName,
  algorithmsFor,
  definitionOf,
  titleOfAlgorithm,
} from "#contract/algorithms/algorithms.ts";
import { asSentence } from "#renderer/ui/format.ts";
import { AlgorithmChip } from "#renderer/ui/words.tsx";
import { useDraftStore, useSetting, useTask } from "./draft-store.ts";
import { FieldGroup, Fields, NumberField, SwitchField } from "./fields.tsx";
import style from "./new-study.module.css";

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Which algorithms are compared: any number of them, each in the colour that it has in every chart. */
export const AlgorithmsField = () => {
  const store = useDraftStore();
  const chosen = listOf(useSetting("algorithms"));
  const offered = algorithmsFor(useTask().name);
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
        {offered.map((name, i) => (
          <button
            key={name}
            type="button"
            className={style.toggle}
            aria-pressed={chosen.includes(name)}
            title={definitionOf(name).about}
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
        {offered
          .filter((name) => chosen.includes(name))
          .map((name) => (
            <li key={name}>
              <b>{titleOfAlgorithm(name)}</b> {definitionOf(name).about}
            </li>
          ))}
      </ul>
    </fieldset>
  );
};

/** Settings of the algorithms that are chosen; the others have none to show. */
export const AlgorithmSettings = () => {
  const chosen = listOf(useSetting("algorithms"));
  const shown = ALGORITHM_NAMES.filter((name) => chosen.includes(name)).map(definitionOf);
  if (!shown.some(({ fields = [] }) => fields.length > 0)) return null;
  return (
    <FieldGroup title="Algorithm settings">
      {shown.map(({ name, fields = [] }) =>
        fields.length === 0 ? null : (
          <Fragment key={name}>
            <p className={style.subhead}>
              <AlgorithmChip name={name} />
            </p>
            <Fields>
              {fields.map(({ key, kind = "number", ...field }) =>
                kind === "switch" ? (
                  <SwitchField key={key} path={`${name}.${key}`} {...field} />
                ) : (
                  <NumberField key={key} path={`${name}.${key}`} {...field} />
                ),
              )}
            </Fields>
          </Fragment>
        ),
      )}
    </FieldGroup>
  );
};
