import type { LabEvent } from "#contract/events.ts";
import { applyToLiveRound } from "#contract/live-round.ts";
import type { LiveRound } from "#contract/views.ts";

/** The round in progress of the running study, for pages that open in the middle of it. */
export const createLiveStudy = () => {
  let study: string | undefined;
  let live: LiveRound | undefined;
  return {
    apply(event: LabEvent): void {
      if (event.kind === "study-started" || event.kind === "study-resumed" || event.kind === "run-started") {
        if (study !== event.study) live = undefined;
        study = event.study;
      }
      live = applyToLiveRound(live, event);
      if (event.kind === "study-ended" && event.study === study) study = undefined;
    },
    of: (id: string): LiveRound | undefined => (id === study ? live : undefined),
  };
};
