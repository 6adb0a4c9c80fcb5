import { pageThatTells } from "./base.ts";
import { type BoardPorts, boardHandlers } from "./board-handlers.ts";
import { type DataPorts, dataHandlers } from "./data-handlers.ts";
import { type EventPorts, eventHandlers } from "./events-handlers.ts";
import { type FleetPorts, fleetHandlers } from "./fleet-handlers.ts";
import { type LabViewPorts, labHandlers } from "./lab-handlers.ts";
import { type PreparePorts, prepareHandlers } from "./prepare-handlers.ts";
import { type ReportPorts, reportHandlers } from "./reports-handlers.ts";
import { type StudyPorts, studyHandlers } from "./study-handlers.ts";

/** What the page's handlers need from the lab, by concern. */
export interface PagePorts {
  readonly boards: BoardPorts;
  readonly data: DataPorts;
  readonly fleet: FleetPorts;
  readonly lab: LabViewPorts;
  readonly events: EventPorts;
  readonly prepare: PreparePorts;
  readonly reports: ReportPorts;
  readonly studies: StudyPorts;
}

/** Answers everything that a page can ask. It is the same for the window and the browser. */
export const createPageRouter = (ports: PagePorts) =>
  pageThatTells(ports.data.onBug).router({
    boards: boardHandlers(ports.boards),
    data: dataHandlers(ports.data),
    fleet: fleetHandlers(ports.fleet),
    lab: labHandlers(ports.lab),
    events: eventHandlers(ports.events),
    reports: reportHandlers(ports.reports),
    studies: { ...studyHandlers(ports.studies), ...prepareHandlers(ports.prepare) },
  });
