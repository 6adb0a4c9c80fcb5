import { useLab } from "#renderer/state/use-states.ts";
import { Page } from "#renderer/ui/page.tsx";
import { Appearance } from "./appearance.tsx";
import { BoardSecrets } from "./board-secrets.tsx";
import { Computer } from "./computer.tsx";
import { Engines } from "./engines.tsx";
import { KeyboardHelp } from "./keyboard-help.tsx";
import { LabMessages } from "./lab-messages.tsx";
import style from "./settings.module.css";

/** Colours, keyboard, engines, secrets, this computer, and what the lab reported. */
export const SettingsScreen = () => {
  const view = useLab((state) => state.view);
  return (
    <Page
      title="Settings"
      subtitle={view === undefined ? "Waiting for the lab to answer." : `Fedfleet ${view.version}`}
    >
      <div className={style.cols}>
        <Appearance />
        <KeyboardHelp />
      </div>
      <Engines engines={view?.engines} known={view !== undefined} />
      <BoardSecrets />
      {view !== undefined && <Computer view={view} />}
      <LabMessages />
    </Page>
  );
};
