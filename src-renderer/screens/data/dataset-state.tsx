import type { DatasetView } from "#contract/views.ts";
import { Pill, type Tone } from "#renderer/ui/page.tsx";

const DATASET_STATES: Readonly<Record<DatasetView["state"], { tone: Tone; mark: string; word: string }>> = {
  ready: { tone: "ok", mark: "✓", word: "Ready" },
  missing: { tone: "quiet", mark: "◦", word: "Not downloaded" },
  damaged: { tone: "bad", mark: "✕", word: "Damaged" },
};

export const DatasetState = ({ state }: { readonly state: DatasetView["state"] }) => {
  const { tone, mark, word } = DATASET_STATES[state];
  return (
    <Pill tone={tone} mark={mark}>
      {word}
    </Pill>
  );
};
