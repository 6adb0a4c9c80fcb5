import type { BoardView } from "#contract/boards.ts";
import type { DatasetsView, FleetView, StreamBatch, StreamItem } from "#contract/views.ts";
import type { Lab } from "#renderer/lab.ts";
import { createBoardWatcher } from "./board-watcher.ts";
import {
  applyToBoards,
  changesTheBoard,
  createBoardsStore,
  withLoadedBoard,
  withoutTelemetryOf,
  withTelemetryOf,
} from "./boards.ts";
import { applyToData, changesTheData, createDataStore } from "./data.ts";
import { applyToFleet, createFleetStore, withFleet } from "./fleet.ts";
import { followLab } from "./follow.ts";
import { applyToLabState, createLabStore, withConnection } from "./lab-state.ts";
import { messageOf } from "./message-of.ts";
import { createRefresher } from "./refresher.ts";
import { applyToStudies, createStudiesStore, withOpened } from "./studies.ts";
import { isNotice } from "./study-view.ts";
import { createTelemetryWatch } from "./watch-telemetry.ts";

/** Events that change the list of studies; it is loaded again, at most twice a second. */
const CHANGES_THE_LIST: ReadonlySet<string> = new Set([
  "study-started",
  "study-resumed",
  "study-ended",
  "run-started",
  "run-ended",
  "round-ended",
  "studies-changed",
  "activity",
]);
const CHANGES_THE_FLEET: ReadonlySet<string> = new Set([
  "fleet-changed",
  "device-joined",
  "device-left",
  "round-ended",
  "study-ended",
]);
const CALM_MS = 500;
/** Items kept in case they arrive before the answer to an earlier question. */
const REMEMBERED = 2000;

/** One store per concern, all fed by the one stream. */
export const createStates = (lab: Lab) => {
  const { client } = lab;
  const labState = createLabStore();
  const studies = createStudiesStore();
  const fleet = createFleetStore();
  const data = createDataStore();
  const boards = createBoardsStore();
  let recent: readonly StreamItem[] = [];

  const loadList = async () => {
    try {
      const { studies: rows } = await client.studies.list();
      studies.setState(({ problems: { list: _list, ...problems } }) => ({ rows, problems }));
    } catch (error) {
      studies.setState(({ problems }) => ({ problems: { ...problems, list: messageOf(error) } }));
    }
  };
  const loading = new Map<string, Promise<void>>();
  /** Asked twice at the same time, it is loaded once. */
  const openStudy = (id: string): Promise<void> => {
    const before = loading.get(id);
    if (before !== undefined) return before;
    const now = loadStudy(id).finally(() => loading.delete(id));
    loading.set(id, now);
    return now;
  };
  const loadStudy = async (id: string) => {
    try {
      const { study, cursor } = await client.studies.get({ study: id });
      studies.setState((state) => applyToStudies(withOpened(state, id, { view: study, cursor }), recent));
    } catch (error) {
      studies.setState(({ problems }) => ({ problems: { ...problems, [id]: messageOf(error) } }));
    }
  };
  const takeFleet = (view: FleetView) => {
    fleet.setState((state) => withFleet(state, view));
    boards.setState((state) => withTelemetryOf(state, view));
  };
  const takeBoard = (view: BoardView) => boards.setState((state) => withLoadedBoard(state, view));
  const boardWatcher = createBoardWatcher({
    boards,
    ask: (name) => client.boards.get({ name }),
    reasonOf: messageOf,
  });
  const watchTelemetry = createTelemetryWatch({
    client,
    onLeft: (names) => boards.setState((state) => withoutTelemetryOf(state, names)),
  });
  const loadFleet = async () => {
    try {
      takeFleet(await client.fleet.view());
    } catch (error) {
      fleet.setState({ problem: messageOf(error) });
    }
  };
  const loadData = async () => {
    try {
      data.setState({ view: await client.data.view(), problem: undefined });
    } catch (error) {
      data.setState({ problem: messageOf(error) });
    }
  };
  const loadLab = async () => {
    const view = await client.lab.view();
    labState.setState({ view, activity: view.activity });
    return view;
  };
  const list = createRefresher(loadList, CALM_MS);
  const fleetPage = createRefresher(loadFleet, CALM_MS);
  const dataPage = createRefresher(loadData, CALM_MS);

  /** Loads what is not in the recorded stream again; after a reset, everything. */
  const reloadAll = (studiesToo: boolean) => {
    void loadLab().catch(() => {});
    list.soon();
    fleetPage.soon();
    dataPage.soon();
    boardWatcher.reload();
    if (studiesToo) for (const id of Object.keys(studies.getState().open)) void loadStudy(id);
  };

  const onBatch = ({ items, reset }: StreamBatch) => {
    if (reset) return reloadAll(true);
    if (items.length === 0) return;
    const recorded = recordedOf(items);
    if (recorded.length > 0) recent = [...recent, ...recorded].slice(-REMEMBERED);
    labState.setState((state) => items.reduce(applyToLabState, state));
    studies.setState((state) => applyToStudies(state, items));
    // The lab tries its engines while the page is shown already; the first activity after that says that they are known.
    if (
      labState.getState().view?.engines === undefined &&
      items.some(({ event }) => event.kind === "activity")
    )
      void loadLab().catch(() => {});
    if (items.some(({ event }) => CHANGES_THE_LIST.has(event.kind))) list.soon();
    if (items.some(({ event }) => CHANGES_THE_FLEET.has(event.kind))) fleetPage.soon();
    fleet.setState((state) => items.reduce(applyToFleet, state));
    const stale = new Set(items.flatMap((item) => changesTheBoard(boards.getState(), item) ?? []));
    boards.setState((state) => items.reduce(applyToBoards, state));
    for (const name of stale) void boardWatcher.load(name);
    data.setState((state) => items.reduce(applyToData, state));
    if (items.some(changesTheData)) dataPage.soon();
  };

  return {
    client,
    labState,
    studies,
    fleet,
    data,
    boards,
    watchList: list.watch,
    watchFleet: fleetPage.watch,
    watchData: dataPage.watch,
    watchBoard: boardWatcher.watch,
    watchTelemetry,
    setBoard: takeBoard,
    openStudy,
    setFleet: takeFleet,
    setData: (view: DatasetsView) => data.setState({ view, problem: undefined }),
    /** Connects everything; runs for as long as the page lives. */
    async start(): Promise<never> {
      lab.onConnection((next) => labState.setState((state) => withConnection(state, next, Date.now())));
      const { cursor } = await untilItWorks(loadLab);
      let first = true;
      return await followLab({
        lab,
        after: cursor,
        onBatch,
        onOpen: () => {
          if (!first) reloadAll(false);
          first = false;
        },
      });
    },
  };
};

export type States = ReturnType<typeof createStates>;

/** Only recorded items are applied again to a study that is loaded: older progress of a device is of no use. */
const recordedOf = (items: readonly StreamItem[]): readonly StreamItem[] =>
  items.filter((item) => item.id !== undefined && !isNotice(item.event));

const untilItWorks = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await ask();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, CALM_MS));
    }
  }
};
