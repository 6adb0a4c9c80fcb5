/** The models that the lab can build itself; `from-client` takes the first client's parameters as they are. */
export const MODEL_NAMES = ["Net", "FedAvgNet", "ResNet8", "ResNet18"] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

export interface OptimizerSettings {
  readonly kind: "sgd" | "adam" | "rmsprop";
  /** Learning rate of this round. */
  readonly lr: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
}

/** The local loss that a client minimises. */
export type LossSettings =
  | { readonly kind: "ce" }
  /** Cross-entropy plus (mu / 2) · ‖w − w_global‖². */
  | { readonly kind: "prox"; readonly mu: number }
  /** Cross-entropy plus beta · T · KL over the not-true classes; T = tau² or 1. */
  | { readonly kind: "ntd"; readonly tau: number; readonly beta: number; readonly tauSquared: boolean };

/**
 * How the head of a model sees the feature vector f: "plain" as it is; "l2-normalised" as f / max(‖f‖, 1e-12), like
 * PyTorch's F.normalize (FedFN: Kim et al., FL@FM workshop at NeurIPS 2023).
 */
export type FeatureSettings = { readonly kind: "plain" } | { readonly kind: "l2-normalised" };

/** What a client does in one round. Travels as JSON in the fit configuration under `fedfleet`. */
export interface Recipe {
  readonly round: number;
  readonly model: string;
  readonly numClasses: number;
  readonly localEpochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerSettings;
  readonly loss: LossSettings;
  /** In evaluations too. On the wire it is left out where it is plain: earlier clients do not know it. */
  readonly feature: FeatureSettings;
  /** Seeds the order of batches on this client in this round; a uint32. */
  readonly seed: number;
  /**
   * Names of parameters that stay on the client (empty for FedAvg). They are not sent in either direction; the
   * client keeps its own values from the last round it trained in, and starts from the model's seeded
   * initialisation in its first.
   */
  readonly keeps: readonly string[];
  /** Last round in which this client trained, 0 if never: which kept state to start from. */
  readonly keptFrom: number;
  /** Seeds the initial values of what the client keeps, the same as the server's initial weights; a uint32. */
  readonly initSeed: number;
  /** Names the run, so that kept state of two runs never meets. */
  readonly run: string;
}

/** What was measured of a model over a set of samples. `metrics.loss` is the mean of the task's loss. */
export interface Evaluation {
  /** By metric; each a finite number, except the loss of a model that diverged. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Samples that the figures were taken over. */
  readonly examples: number;
  /** Correct and total per class index, where the task has classes. */
  readonly perClass?: readonly { readonly correct: number; readonly total: number }[];
}

export interface EngineInfo {
  /** "tfjs-node" the installed package · "native" an engine folder · "wasm". */
  readonly kind: "tfjs-node" | "native" | "wasm";
  readonly version: string;
  /** Where it was loaded from. */
  readonly path: string;
  readonly threads: number;
  /** Why a better engine was passed over, in one sentence. */
  readonly note?: string;
}
