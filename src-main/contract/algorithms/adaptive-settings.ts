import { z } from "zod";
import type { AlgorithmField } from "./definition.ts";

/** The server's step of FedAdam and FedYogi. */
export const adaptiveSettings = z
  .strictObject({
    serverLr: z.number().positive().default(0.01),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.99),
    tau: z.number().positive().default(0.001),
  })
  .prefault({});

export const adaptiveFields = [
  { key: "serverLr", label: "Server learning rate", help: "Size of the server's step each round." },
  { key: "beta1", label: "Beta 1", help: "Decay of the first moment, the mean of past updates." },
  { key: "beta2", label: "Beta 2", help: "Decay of the second moment, the mean of their squares." },
  { key: "tau", label: "Tau", help: "Smaller values adapt the step more to each weight." },
] as const satisfies readonly AlgorithmField[];
