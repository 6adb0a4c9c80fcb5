import { type DataPorts, dataHandlers } from "./data-handlers.ts";
import { type EventPorts, eventHandlers } from "./events-handlers.ts";
import { type LabPorts, labHandlers } from "./lab-handlers.ts";
import { type StudyPorts, studyHandlers } from "./study-handlers.ts";

/** What the page's handlers need of the lab, by concern. */
export interface PagePorts {
  readonly data: DataPorts;
  readonly lab: LabPorts;
  readonly events: EventPorts;
  readonly studies: StudyPorts;
}

export type PageRouter = ReturnType<typeof createPageRouter>;

/** All that a page can ask, put together; the same for the window and for the browser. */
export const createPageRouter = (ports: PagePorts) => ({
  data: dataHandlers(ports.data),
  lab: labHandlers(ports.lab),
  events: eventHandlers(ports.events),
  studies: studyHandlers(ports.studies),
});
