import type { Control } from "./ports.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** Waits for as long as a person has paused the study. @throws the reason when it is stopped at once meanwhile. */
export const passGate = async ({ gate, now }: Control): Promise<void> => {
  if (gate === undefined) return;
  await unlessAborted(gate.pass(), now);
};
