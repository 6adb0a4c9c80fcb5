import { Button, SegmentedControl, useMantineColorScheme } from "@mantine/core";
import type { ReactNode } from "react";
import type { EngineView, LabView } from "#contract/views.ts";
import { useLab, useNow } from "#renderer/state/use-states.ts";
import { asSentence, bytes, clock, day, duration } from "#renderer/ui/format.ts";
import { Card, Empty, Page, Pill, Small } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import { Secrets } from "./secrets.tsx";
import style from "./settings.module.css";

/** How the page looks, what trains here, what this computer is, what the lab said. */
export const SettingsScreen = () => {
  const view = useLab((state) => state.view);
  return (
    <Page
      title="Settings"
      subtitle={
        view === undefined
          ? "Waiting for the lab to answer."
          : `Fedfleet ${view.version} · ${view.host === "desktop" ? "in its own window" : "in this browser"}`
      }
    >
      <div className={style.cols}>
        <Appearance />
        <Keys />
      </div>
      <Engines engines={view?.engines} known={view !== undefined} />
      <Secrets />
      {view !== undefined && <Computer view={view} />}
      <Said />
    </Page>
  );
};

const Appearance = () => {
  // holding transitions still for the change would put a style element into the page
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <Card title="Colours">
      <SegmentedControl
        value={colorScheme}
        onChange={(value) => setColorScheme(value as typeof colorScheme)}
        data={[
          { value: "auto", label: "As the system" },
          { value: "light", label: "Light" },
          { value: "dark", label: "Dark" },
        ]}
        aria-label="Colour scheme"
      />
      <p className={style.note}>
        <Small>
          Kept in this {window.fedfleet === undefined ? "browser" : "window"}, also for the next time.
        </Small>
      </p>
    </Card>
  );
};

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [["Tab"], "to the next button, link or field; with Shift to the one before"],
  [["Enter"], "presses the button, follows the link"],
  [["Esc"], "closes a dialog or a menu; the focus goes back to where it was"],
  [["↑", "↓"], "move in menus, in lists of folders, and along a chart's rounds with ← and →"],
];

const Keys = () => (
  <Card title="Keyboard">
    <dl className={style.keys}>
      {KEYS.map(([keys, text]) => (
        <div key={text}>
          <dt>
            {keys.map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  </Card>
);

const Engines = ({
  engines,
  known,
}: {
  readonly engines: readonly EngineView[] | undefined;
  readonly known: boolean;
}) => (
  <Card title="Engines" note="what trains on this computer; the first usable one is chosen">
    {engines === undefined ? (
      <Empty
        title={known ? "Trying the engines" : "Loading"}
        text="Each engine is started once to see whether it works here; that takes some seconds."
      />
    ) : (
      <ul className={style.engines}>
        {engines.map((engine) => (
          <li key={`${engine.kind} ${engine.path ?? ""}`}>
            <div className={style.engineHead}>
              <b>{engine.kind}</b>
              {engine.version !== undefined && <Small>{engine.version}</Small>}
              {engine.chosen ? (
                <Pill tone="ok" mark="✓">
                  Chosen
                </Pill>
              ) : engine.usable ? (
                <Pill tone="accent" mark="✓">
                  Usable
                </Pill>
              ) : (
                <Pill tone="warn" mark="!">
                  Not usable
                </Pill>
              )}
            </div>
            {engine.note !== undefined && (
              <p>{engine.note.startsWith(engine.kind) ? `${engine.note}.` : asSentence(engine.note)}</p>
            )}
            {engine.path !== undefined && (
              <p>
                <Small>{engine.path}</Small>
              </p>
            )}
          </li>
        ))}
      </ul>
    )}
  </Card>
);

const Computer = ({ view }: { readonly view: LabView }) => {
  const toast = useToast();
  const now = useNow(1000);
  const up = Math.max(0, Math.floor((now - Date.parse(view.startedAt)) / 1000));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(view.dataDir);
      toast({ tone: "ok", text: "The path is in the clipboard." });
    } catch {
      toast({
        tone: "bad",
        text: "This browser did not let the path be copied. Select it and copy it by hand.",
      });
    }
  };
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["Processor", `${view.cores} ${view.cores === 1 ? "core" : "cores"}`],
    ["Memory", bytes(view.memoryBytes)],
    [
      "Data directory",
      <span key="dir" className={style.dir}>
        <code>{view.dataDir}</code>
        <Button size="xs" onClick={copy} aria-label="Copy the path of the data directory">
          Copy
        </Button>
      </span>,
    ],
    ["Version", `Fedfleet ${view.version}`],
    ["Runs", view.host === "desktop" ? "in its own window" : "as a server for browsers of this computer"],
    ["Platform", view.platform],
    ["Node.js", view.nodeVersion],
    ["Process", `${view.pid}, for ${duration(up)}`],
  ];
  return (
    <Card title="This computer">
      <dl className={style.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
};

const Said = () => {
  const said = useLab((state) => state.said);
  const now = useNow(60_000);
  return (
    <Card title="What the lab said lately" note="since this page was opened, newest first">
      {said.length === 0 ? (
        <p>
          <Small>
            Nothing yet. What it does beside the rounds, and why a study could not go on, stands here.
          </Small>
        </p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a long list is scrolled with the keyboard, too
        <section className={style.saidBox} tabIndex={0} aria-label="Messages">
          <ol className={style.said}>
            {said.toReversed().map((notice, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same sentence may be said twice in a moment
              <li key={`${notice.at} ${i}`} {...(notice.problem ? { "data-problem": true } : {})}>
                <time dateTime={notice.at} title={day(notice.at, now)}>
                  {clock(notice.at)}
                </time>
                <span>{notice.message}</span>
              </li>
            ))}
          </ol>
        </section>
      )}
    </Card>
  );
};
