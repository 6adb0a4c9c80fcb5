import { useEffect, useState } from "react";
import type { Preparation } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import type { Draft } from "./draft.ts";

/** One is asked after the last key, not after each. */
const CALM_MS = 250;
/** What is missing may come by itself: memory, a download, an engine that is looked at. */
const AGAIN_MS = 5000;

export interface Prepared {
  readonly answer: Preparation | undefined;
  /** Of which draft; while another is looked at, the answer is the one before. */
  readonly of: Draft | undefined;
  readonly problem: string | undefined;
  /** Since when the lab is asked, in ms; undefined when it has answered. */
  readonly since: number | undefined;
}

const NOTHING: Prepared = { answer: undefined, of: undefined, problem: undefined, since: undefined };

/**
 * What the lab says of the draft, a moment after it changed. `occasion`: what else changes the answer. An answer that
 * was overtaken is dropped.
 */
export const usePreparation = (study: Draft, occasion: string): Prepared => {
  const { client } = useStates();
  const [prepared, setPrepared] = useState<Prepared>(NOTHING);
  const [again, setAgain] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the occasion and the time are reasons to ask again
  useEffect(() => {
    const asked = new AbortController();
    const timer = setTimeout(async () => {
      setPrepared((before) => ({ ...before, since: Date.now() }));
      try {
        const answer = await client.studies.prepare({ study }, { signal: asked.signal });
        if (asked.signal.aborted) return;
        setPrepared(({ answer: before }) => ({
          answer: { ...answer, ...samePreview(before, answer) },
          of: study,
          problem: undefined,
          since: undefined,
        }));
      } catch (error) {
        if (asked.signal.aborted) return;
        setPrepared((before) => ({ ...before, problem: messageOf(error), since: undefined }));
      }
    }, CALM_MS);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [client, study, occasion, again]);

  const waits =
    prepared.problem !== undefined || prepared.answer?.checks.some(({ state }) => state !== "ok") === true;
  useEffect(() => {
    if (!waits) return;
    const timer = setInterval(() => {
      if (!document.hidden) setAgain((n) => n + 1);
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [waits]);
  return prepared;
};

/** The same partition stays the same object: its map is not drawn again. */
const samePreview = (
  before: Preparation | undefined,
  { preview }: Preparation,
): Pick<Preparation, "preview"> =>
  preview !== undefined &&
  before?.preview?.sha256 === preview.sha256 &&
  before.preview.devices.length === preview.devices.length &&
  before.preview.devices.every((name, i) => name === preview.devices[i])
    ? { preview: before.preview }
    : {};
