import type { EngineView } from "#contract/views.ts";
import { ENGINE_TITLES } from "#renderer/ui/engine-titles.ts";
import { asSentence } from "#renderer/ui/format.ts";
import { Card, Empty, Pill, Small, type Tone } from "#renderer/ui/page.tsx";
import style from "./engines.module.css";

/** What can train on this computer. */
export const Engines = ({
  engines,
  known,
}: {
  /** Undefined until the lab has tried them. */
  readonly engines: readonly EngineView[] | undefined;
  /** The lab has answered. */
  readonly known: boolean;
}) => (
  <Card title="Training engines" note="the lab uses the first one that works on this computer">
    {engines === undefined ? (
      <Empty
        title={known ? "Trying the engines" : "Loading"}
        text="The lab starts each engine once to see whether it works here. This takes a few seconds."
      />
    ) : (
      <ul className={style.engines}>
        {engines.map((engine) => (
          <EngineRow key={`${engine.kind} ${engine.path ?? ""}`} engine={engine} />
        ))}
      </ul>
    )}
  </Card>
);

const stateOfEngine = ({ chosen, usable }: EngineView): { tone: Tone; mark: string; word: string } => {
  if (chosen) return { tone: "ok", mark: "✓", word: "In use" };
  return usable
    ? { tone: "accent", mark: "✓", word: "Available" }
    : { tone: "warn", mark: "!", word: "Not available" };
};

const EngineRow = ({ engine }: { readonly engine: EngineView }) => {
  const { tone, mark, word } = stateOfEngine(engine);
  const { kind, version, note, path } = engine;
  return (
    <li>
      <div className={style.head}>
        <b>{ENGINE_TITLES[kind]}</b>
        {version !== undefined && <Small>{version}</Small>}
        <Pill tone={tone} mark={mark}>
          {word}
        </Pill>
      </div>
      {/* a package's name stays in lower case at the start of a sentence */}
      {note !== undefined && <p>{note.startsWith(kind) ? `${note}.` : asSentence(note)}</p>}
      {path !== undefined && (
        <p>
          <Small>{path}</Small>
        </p>
      )}
    </li>
  );
};
