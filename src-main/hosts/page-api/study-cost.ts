import { fleetSize, virtualGroups, virtualNames } from "#contract/fleet.ts";
import { type EngineInfo, MODEL_NAMES, type ModelName } from "#contract/jobs.ts";
import type { Study } from "#contract/study.ts";
import { byteLength, elementCount, type ParameterSpec } from "#contract/tensor.ts";
import type { StudyCost } from "#contract/views.ts";
import { algorithmOf } from "#main/federation/algorithms.ts";
import { drawClients } from "#main/federation/sampling.ts";

/** A recorded round of the same model on the same kind of engine. */
export interface MeasuredRound {
  readonly algorithm: string;
  readonly study: Pick<Study, "localEpochs" | "fleet">;
  readonly seconds: number;
  readonly examples: number;
  readonly clients: number;
}

export interface CostFacts {
  readonly parameters: readonly ParameterSpec[];
  readonly engine: EngineInfo["kind"] | undefined;
  /** Training samples of all devices together; undefined where that is not known. */
  readonly examples: number | undefined;
  /** Processes that train at the same time. */
  readonly workers: number;
  readonly cores: number;
  readonly history: readonly MeasuredRound[];
}

/** With fewer recorded rounds of an algorithm, other algorithms' rounds of the same model count as well. */
const ENOUGH = 3;

export const isBuiltIn = (name: string): name is ModelName =>
  (MODEL_NAMES as readonly string[]).includes(name);

const bytesOf = (specs: readonly ParameterSpec[]): number =>
  specs.reduce((sum, { dtype, shape }) => sum + byteLength(dtype, shape), 0);

/** Bytes of the parameters that travel, per algorithm of the study. */
const travelling = (study: Study, specs: readonly ParameterSpec[]): number[] =>
  study.algorithms.map((name) => {
    const algorithm = algorithmOf(name, study);
    return bytesOf(specs.filter((spec) => !algorithm.keeps(spec)));
  });

/** How many clients a round draws when the whole fleet is connected: by the rule that draws them. */
export const clientsPerRound = (study: Study): number =>
  drawClients({
    seed: 0,
    round: 1,
    available: Array.from({ length: fleetSize(study.fleet) }, (_, i) => `${i}`),
    fraction: study.sampling.fraction,
    minFit: study.sampling.minFit,
  }).length;

export const modelBytes = bytesOf;

const isSlowed = (fleet: Study["fleet"]): boolean =>
  virtualGroups(fleet).some(({ slowness }) => slowness > 1);

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** Seconds of one process per example and epoch. Includes evaluation and transfer, which are part of a round. */
const paceOf = (rounds: readonly MeasuredRound[], cores: number): number =>
  median(
    rounds.map(({ seconds, examples, clients, study }) => {
      const sideBySide = Math.max(1, Math.min(cores, clients, virtualNames(study.fleet).length));
      return (seconds * sideBySide) / (examples * study.localEpochs);
    }),
  );

const estimate = (study: Study, facts: CostFacts, drawn: number): Pick<StudyCost, "seconds" | "basis"> => {
  const { engine, examples } = facts;
  const devices = virtualNames(study.fleet).length;
  if (devices === 0 || study.fleet.external !== undefined) {
    return { basis: "The speed of external clients is not known in advance." };
  }
  if (isSlowed(study.fleet)) return { basis: "The speed of slowed-down devices is not known in advance." };
  if (engine === undefined || examples === undefined) return {};
  const history = facts.history.filter((round) => round.examples > 0 && !isSlowed(round.study.fleet));
  if (history.length === 0) {
    return { basis: `This lab has no recorded round of ${study.model} on ${engine} yet.` };
  }
  const sideBySide = Math.max(1, Math.min(facts.workers, drawn));
  const perRound = (examples * drawn * study.localEpochs) / devices / sideBySide;
  const seconds = study.algorithms.reduce((sum, algorithm) => {
    const own = history.filter((round) => round.algorithm === algorithm);
    return sum + paceOf(own.length >= ENOUGH ? own : history, facts.cores) * perRound;
  }, 0);
  const rounds = history.length === 1 ? "the only round" : `the latest ${history.length} rounds`;
  return {
    seconds: seconds * study.rounds * study.trials,
    basis: `Based on ${rounds} of ${study.model} on ${engine} in this lab.`,
  };
};

/** Estimates what a study of a built-in model will cost. */
export const studyCost = (study: Study, facts: CostFacts): StudyCost => {
  const { parameters } = facts;
  const drawn = clientsPerRound(study);
  const bytes = travelling(study, parameters);
  return {
    parameters: parameters
      .filter(({ kind }) => kind === "trainable")
      .reduce((sum, { shape }) => sum + elementCount(shape), 0),
    updateBytes: Math.max(...bytes),
    wireBytes: bytes.reduce((sum, each) => sum + 2 * each, 0) * drawn * study.rounds * study.trials,
    clientsPerRound: drawn,
    ...estimate(study, facts, drawn),
  };
};
