import type { Control } from "./ports.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** Waits while the study is paused. @throws the reason when it is stopped immediately meanwhile. */
export const passGate = async ({ gate, now }: Control): Promise<void> => {
  if (gate === undefined) return;
  await unlessAborted(gate.pass(), now);
};
