/**
 * How a server combines the updates of a round. A strategy is made once per run; `begin` opens one round.
 *
 * The generators do at most about 2 ms of work between two yields, so that the process that serves the wire stays
 * responsive; their caller decides how long to pause. The result never depends on the order in which updates arrive.
 */
import type { FailureCode, Result } from "#contract/failure.ts";
import type { NamedTensor, ParameterSpec, Tensor } from "#contract/tensor.ts";

/** Why an update or a round was refused; the caller knows the device. */
export interface Refusal {
  readonly code: FailureCode;
  /** One sentence, without the device's name. */
  readonly cause: string;
}

export interface Update {
  readonly device: string;
  /** In the order of the specs; may be views of a message at any alignment. Nothing keeps them after `take`. */
  readonly tensors: readonly Tensor[];
  /** Samples that the device trained on: its weight in the mean. */
  readonly examples: number;
}

export interface Strategy {
  readonly name: string;
  /**
   * What the server remembers between rounds (moments), as named tensors so that a checkpoint can hold it; [] where
   * it remembers nothing.
   */
  initialState(specs: readonly ParameterSpec[]): NamedTensor[];
  /**
   * Opens a round.
   * @param input.specs the parameters that travel, in order.
   * @param input.global their values at the start of the round, in the same order.
   * @param input.state what `initialState` or the last `finish` returned, in any order.
   */
  begin(input: {
    readonly specs: readonly ParameterSpec[];
    readonly global: readonly Tensor[];
    readonly state: readonly NamedTensor[];
  }): Aggregation;
}

export interface Aggregation {
  /**
   * Allocates what the first update would otherwise wait for; worth doing while the clients train. Once begun it must
   * be driven to its end before anything else.
   */
  prepare(): Generator<void, void>;
  /**
   * Checks updates and aggregates the good ones. An update is good when it has as many tensors as the specs, of their
   * shapes and dtypes, all finite, from a positive whole number of examples. Up to three updates that wait at the same
   * time share one pass over the sums. A refused update leaves no trace. Once begun it must be driven to its end.
   * @returns one result per update, in their order.
   */
  take(updates: readonly Update[]): Generator<void, Result<void, Refusal>[]>;
  /**
   * Closes the round; called once. Zero updates are `too-few-updates`, a result that is not finite is `diverged`.
   */
  finish(): Generator<void, Result<Aggregated, Refusal>>;
}

/** What a round of aggregation yields. */
export interface Aggregated {
  /** The new global values, in the order and the dtypes of the specs. */
  readonly tensors: Tensor[];
  /** What the server remembers for the next round. */
  readonly state: NamedTensor[];
  /** Numbers of this round that a person may want to see, by name; FedExP: its server step size, `serverStep`. */
  readonly notes?: Readonly<Record<string, number>>;
}

export const refuse = (code: FailureCode, cause: string): { ok: false; failure: Refusal } => ({
  ok: false,
  failure: { code, cause },
});

/** `no-examples` unless the count is a positive whole number. */
export const checkExamples = (examples: number): Result<void, Refusal> =>
  Number.isSafeInteger(examples) && examples > 0
    ? { ok: true, value: undefined }
    : refuse("no-examples", `it reported ${examples} training examples; a positive whole number is needed`);

export const NO_UPDATES = refuse("too-few-updates", "this round had no usable update");
