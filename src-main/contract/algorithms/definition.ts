import type { z } from "zod";
import type { FeatureSettings, LossSettings } from "#contract/jobs.ts";
import type { TaskName } from "#contract/tasks/tasks.ts";

/** What an algorithm asks of the rest of the lab. What is left out is not so. */
export interface AlgorithmTraits {
  /** The head stays on the device; only the features travel and are aggregated. */
  readonly keepsHead?: boolean;
  /** The server needs all updates of a round at once, so its memory grows with the clients of a round. */
  readonly needsAllUpdates?: boolean;
  /** Numbers per weight that the server keeps from round to round, in float32. */
  readonly momentsPerWeight?: number;
  /** The server's step must know which parameters are BatchNorm buffers. */
  readonly needsBuffers?: boolean;
  /** Why Flower clients other than the lab's own cannot run it: goes on from the algorithm's title. */
  readonly notOnForeignClients?: string;
}

/** What its clients do: part of the recipe of every round. What is left out is plain FedAvg. */
export interface AlgorithmRecipe {
  readonly loss?: LossSettings;
  readonly feature?: FeatureSettings;
}

/** One setting in the form. `key` is its name below the algorithm's own in the study file. */
export interface AlgorithmField {
  readonly key: string;
  readonly label: string;
  readonly unit?: string;
  readonly help: string;
  /** @default "number" */
  readonly kind?: "number" | "switch";
}

interface Common {
  /** What a study file calls it. */
  readonly name: string;
  /** What people read, as its paper writes it. */
  readonly title: string;
  /** Authors, title, venue, year. */
  readonly paper: string;
  /** One sentence for a person who chooses. */
  readonly about: string;
  readonly tasks: readonly TaskName[];
  /** How the server combines updates: the name of a strategy in federation/algorithms.ts. */
  readonly strategy: string;
  readonly traits?: AlgorithmTraits;
  /** The same everywhere: a colour of the theme (1 to 11), and a dash for the later ones. */
  readonly look: { readonly colour: number; readonly dash?: string };
}

/** An algorithm that has nothing to set. */
export interface PlainAlgorithm extends Common {
  readonly recipe?: () => AlgorithmRecipe;
  readonly settings?: undefined;
  readonly fields?: undefined;
}

/** An algorithm with settings of its own, below its name in the study file. */
export interface AlgorithmWithSettings<S extends z.ZodType> extends Common {
  readonly settings: S;
  readonly fields: readonly AlgorithmField[];
  readonly recipe?: (settings: z.output<S>) => AlgorithmRecipe;
}

/** Any algorithm, where its settings' form does not matter. */
export interface AlgorithmDefinition extends Common {
  readonly settings?: z.ZodType | undefined;
  readonly fields?: readonly AlgorithmField[] | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: each takes what its own schema gives
  readonly recipe?: ((settings: any) => AlgorithmRecipe) | undefined;
}

export const plainAlgorithm = <const A extends PlainAlgorithm>(algorithm: A): A => algorithm;

/** Binds the recipe's argument to what the schema gives. */
export const algorithmWithSettings = <
  S extends z.ZodType,
  const A extends Omit<AlgorithmWithSettings<S>, "settings" | "recipe">,
>(
  algorithm: A & Pick<AlgorithmWithSettings<S>, "settings" | "recipe">,
): A & Pick<AlgorithmWithSettings<S>, "settings" | "recipe"> => algorithm;
