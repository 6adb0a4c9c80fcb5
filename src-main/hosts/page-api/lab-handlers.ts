import type { Activity, EngineView, LabView } from "#contract/views.ts";
import { page } from "./base.ts";

export interface LabViewPorts {
  /** Facts that do not change while the lab is open. */
  readonly facts: Omit<LabView, "engines" | "activity" | "cursor">;
  /** Undefined until they have been checked; never waits. */
  engines(): readonly EngineView[] | undefined;
  activity(): Activity;
  /** Number of the last recorded event. */
  cursor(): number;
}

export const labHandlers = (ports: LabViewPorts) => ({
  view: page.lab.view.handler((): LabView => {
    const engines = ports.engines();
    return {
      ...ports.facts,
      ...(engines === undefined ? {} : { engines }),
      activity: ports.activity(),
      cursor: ports.cursor(),
    };
  }),
});
