import { z } from "zod";
import { MODEL_NAMES, type ModelName, type Recipe } from "#contract/jobs.ts";
import { TASK_NAMES, type TaskName } from "#contract/tasks/tasks.ts";
import type { Config } from "#main/wire/protocol.ts";

const modelName = z.enum(MODEL_NAMES);
const round = z.number().int().min(0);
const uint32 = z
  .number()
  .int()
  .min(0)
  .max(2 ** 32 - 1);

/** Absent in what earlier servers send, and where it is plain. */
const feature = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("plain") }),
    z.object({ kind: z.literal("l2-normalised") }),
  ])
  .default({ kind: "plain" });

const common = {
  round,
  run: z.string().min(1),
  model: modelName,
  numClasses: z.number().int().min(1),
  feature,
  keeps: z.array(z.string()),
  keptFrom: round,
  initSeed: uint32,
};

const recipeSchema = z.object({
  ...common,
  localEpochs: z.number().int().min(1),
  batchSize: z.number().int().min(1),
  optimizer: z.object({
    kind: z.enum(["sgd", "adam", "rmsprop"]),
    lr: z.number(),
    momentum: z.number(),
    nesterov: z.boolean(),
    weightDecay: z.number(),
  }),
  loss: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("ce") }),
    z.object({ kind: z.literal("prox"), mu: z.number() }),
    z.object({ kind: z.literal("ntd"), tau: z.number(), beta: z.number(), tauSquared: z.boolean() }),
  ]),
  seed: uint32,
});

const evaluationSchema = z.object({ ...common, task: z.enum(TASK_NAMES).default("classification") });

/** What every instruction says about the model, and about the parameters that the device keeps. */
export type CommonInstruction = Pick<
  Recipe,
  "round" | "run" | "numClasses" | "feature" | "keeps" | "keptFrom" | "initSeed"
> & {
  readonly model: ModelName;
};
export type EvaluationInstruction = CommonInstruction & { readonly task: TaskName };
export type FitInstruction = Recipe & { readonly model: ModelName };

/** An instruction that this device cannot follow; it answers with the message. */
export class BadInstruction extends Error {}

const parse = <T>(config: Config, schema: z.ZodType<T>, what: string): T => {
  const text = config.fedfleet;
  if (typeof text !== "string") {
    throw new BadInstruction(
      `the ${what} configuration has no text under "fedfleet": a virtual device follows only a Fedfleet server`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BadInstruction(`the ${what} configuration under "fedfleet" is not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new BadInstruction(
    `the ${what} configuration under "fedfleet" is wrong at ${issue?.path.join(".") || "its root"}: ${issue?.message}`,
  );
};

/** @throws BadInstruction */
export const parseFitInstruction = (config: Config): FitInstruction => parse(config, recipeSchema, "fit");

/** @throws BadInstruction */
export const parseEvaluationInstruction = (config: Config): EvaluationInstruction =>
  parse(config, evaluationSchema, "evaluate");
