import type { BoardView } from "#contract/boards.ts";
import type { DatasetsView, FleetView, StreamBatch, StreamItem } from "#contract/views.ts";
import type { Lab } from "#renderer/lab.ts";
import {
  applyToBoards,
  changesTheBoard,
  createBoardsStore,
  withBoard,
  withoutBoard,
  withoutTelemetryOf,
  withTelemetryOf,
} from "./boards.ts";
import { applyToData, changesTheData, createDataStore } from "./data.ts";
import { applyToFleet, createFleetStore, withFleet } from "./fleet.ts";
import { followLab } from "./follow.ts";
import { applyToLabState, createLabStore, withConnection } from "./lab-state.ts";
import { applyToStudies, createStudiesStore, withOpened } from "./studies.ts";
import { isNotice } from "./study-view.ts";
import { createTelemetryWatch } from "./watch-telemetry.ts";

/** What changes the list of studies; it is asked for anew, at most twice a second. */
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
/** Items that may have overtaken the answer to a question that was asked before them. */
const REMEMBERED = 2000;

/** One store per concern, all fed by the one stream. */
export const createStates = (lab: Lab) => {
  const { client } = lab;
  const labState = createLabStore();
  const studies = createStudiesStore();
  const fleet = createFleetStore();
  const data = createDataStore();
  const boards = createBoardsStore();
  const watchTelemetry = createTelemetryWatch({
    client,
    onLeft: (names) => boards.setState((state) => withoutTelemetryOf(state, names)),
  });
  let recent: readonly StreamItem[] = [];

  /** Asks again when it is calm; never twice at once; only for what a page shows. */
  const refresher = (ask: () => Promise<void>) => {
    let watched = 0;
    let due = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      due = true;
      if (watched === 0 || timer !== undefined) return;
      timer = setTimeout(async () => {
        due = false;
        await ask();
        timer = undefined;
        if (due) soon();
      }, CALM_MS);
    };
    return {
      soon,
      /** While a page shows it. @returns what to call when the page is left */
      watch: (): (() => void) => {
        watched += 1;
        if (watched === 1) void ask();
        return () => {
          watched -= 1;
        };
      },
    };
  };

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
  const takeBoard = (view: BoardView) => boards.setState((state) => withBoard(state, view));
  /** How many pages show a board. */
  const watchedBoards = new Map<string, number>();
  const loadBoard = async (name: string) => {
    try {
      const view = await client.boards.get({ name });
      if (watchedBoards.has(name)) takeBoard(view);
    } catch (error) {
      boards.setState(({ problems }) => ({ problems: { ...problems, [name]: messageOf(error) } }));
    }
  };
  const watchBoard = (name: string): (() => void) => {
    const watching = watchedBoards.get(name) ?? 0;
    watchedBoards.set(name, watching + 1);
    if (watching === 0) void loadBoard(name);
    return () => {
      const left = (watchedBoards.get(name) ?? 1) - 1;
      if (left > 0) {
        watchedBoards.set(name, left);
        return;
      }
      watchedBoards.delete(name);
      // what is not shown is not kept up to date
      boards.setState((state) => withoutBoard(state, name));
    };
  };
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
  const list = refresher(loadList);
  const fleetPage = refresher(loadFleet);
  const dataPage = refresher(loadData);

  /** What is not recorded, and after a reset everything, has to be asked for anew. */
  const loadAnew = (studiesToo: boolean) => {
    void loadLab().catch(() => {});
    list.soon();
    fleetPage.soon();
    dataPage.soon();
    for (const name of watchedBoards.keys()) void loadBoard(name);
    if (studiesToo) for (const id of Object.keys(studies.getState().open)) void loadStudy(id);
  };

  const onBatch = ({ items, reset }: StreamBatch) => {
    if (reset) return loadAnew(true);
    if (items.length === 0) return;
    const recorded = recordedOf(items);
    if (recorded.length > 0) recent = [...recent, ...recorded].slice(-REMEMBERED);
    labState.setState((state) => items.reduce(applyToLabState, state));
    studies.setState((state) => applyToStudies(state, items));
    // The engines are looked at while the page is shown already: the first activity after it says that they are known.
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
    for (const name of stale) void loadBoard(name);
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
    watchBoard,
    watchTelemetry,
    setBoard: takeBoard,
    loadBoard,
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
          if (!first) loadAnew(false);
          first = false;
        },
      });
    },
  };
};

export type States = ReturnType<typeof createStates>;

/** A study's view folds only recorded items again: how far a device was a moment ago is of no use. */
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

/** What the lab said was wrong, in a sentence for a person. */
export const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "AbortError") return "The connection to the lab was lost while it answered. Try again.";
  if (error.message === "Internal server error")
    return "The lab ran into an error of its own; its standard error output has the details.";
  return error.message;
};
