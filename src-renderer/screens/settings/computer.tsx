import type { LabView } from "#contract/views.ts";
import { useNow } from "#renderer/state/use-states.ts";
import { CopyButton } from "#renderer/ui/copy-button.tsx";
import { type Fact, FactList } from "#renderer/ui/fact-list.tsx";
import { monoClass } from "#renderer/ui/form.tsx";
import { bytes, plural, wholeSeconds } from "#renderer/ui/format.ts";
import { Card } from "#renderer/ui/page.tsx";
import style from "./computer.module.css";

const PLATFORMS: Readonly<Record<string, string>> = { linux: "Linux", darwin: "macOS", win32: "Windows" };

/** The computer and the process that the lab runs in. */
export const Computer = ({ view }: { readonly view: LabView }) => {
  const seconds = Math.floor((useNow() - Date.parse(view.startedAt)) / 1000);
  const facts: readonly Fact[] = [
    ["Processor", plural(view.cores, "core")],
    ["Memory", bytes(view.memoryBytes)],
    [
      "Data directory",
      <span key="directory" className={style.directory}>
        <code className={monoClass}>{view.dataDir}</code>
        <CopyButton text={view.dataDir} what="the path of the data directory" />
      </span>,
    ],
    ["Fedfleet", view.version],
    ["Runs as", view.host === "desktop" ? "desktop application" : "server for browsers on this computer"],
    ["Platform", PLATFORMS[view.platform] ?? view.platform],
    ["Node.js", view.nodeVersion],
    ["Process", `${view.pid}, running for ${wholeSeconds(seconds)}`],
  ];
  return (
    <Card title="This computer">
      <FactList facts={facts} />
    </Card>
  );
};
