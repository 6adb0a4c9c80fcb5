import type { Activity, EngineView, LabView } from "#contract/views.ts";
import { page } from "./base.ts";

export interface LabPorts {
  /** What stays the same for as long as the lab is open. */
  readonly facts: Omit<LabView, "engines" | "activity" | "cursor">;
  /** Undefined until they were looked at; never waits. */
  engines(): readonly EngineView[] | undefined;
  activity(): Activity;
  /** Number of the last recorded event. */
  cursor(): number;
}

export const labHandlers = (ports: LabPorts) => ({
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
