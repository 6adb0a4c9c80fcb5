import type {
  BoardFacts,
  BoardProblem,
  BoardSummary,
  BoardTarget,
  StepId,
  StepView,
  TelemetryPoint,
} from "#contract/boards.ts";
import type { Emit } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import { announceLink } from "./announce-link.ts";
import { BoardError, type BoardLink, type LinkState, type Pulse, type SshConnection } from "./board-ports.ts";
import { type BoardRecord, plainAddress } from "./board-record.ts";
import { createBoardSetUp } from "./board-set-up.ts";
import { summaryOf } from "./board-summary.ts";
import type { KeptClient } from "./launch/kept-client.ts";
import { probeBoard } from "./probe/probe-board.ts";
import type { Provisioner } from "./provision/provisioner.ts";
import type { BoardToSetUp, HowToProvision } from "./provision/step.ts";
import { type BoardToSettle, dropStudy, settleBoard } from "./settle-board.ts";
import { createBoardLink } from "./ssh/board-link.ts";

/** News of a board for the pages. */
export type BoardNews =
  | { readonly kind: "board"; readonly device: string; readonly board: BoardSummary }
  | { readonly kind: "board-step"; readonly device: string; readonly step: StepView };

export interface BoardDeps {
  /** "pi@10.0.0.7:22", with what ~/.ssh/config says. */
  addressOf(target: BoardTarget): Promise<string>;
  connect(record: BoardRecord, signal: AbortSignal): Promise<SshConnection>;
  readonly pulse: Pulse;
  onPulse(device: string, point: TelemetryPoint): void;
  latest(device: string): TelemetryPoint | undefined;
  readonly provisioner: Provisioner;
  save(record: BoardRecord): void;
  readonly labId: string;
  readonly emit: Emit;
  tell(news: BoardNews): void;
  readonly drops: BoardToSettle["drops"];
  onBug(error: unknown): void;
  now(): number;
}

/** How long a person's question waits for the connection. */
const PATIENCE_MS = 30_000;

export type Board = ReturnType<typeof createBoard>;

/** One board: its connection, what is known of it, its set-up, its client. */
export const createBoard = (initial: BoardRecord, deps: BoardDeps) => {
  const { name } = initial;
  let record = initial;
  let address = plainAddress(initial.target);
  let client: KeptClient | undefined;
  let settled: { readonly connection: SshConnection; readonly done: Promise<void> } | undefined;

  const link: BoardLink = createBoardLink({
    connect: (signal) => deps.connect(record, signal),
    pulse: deps.pulse,
    onPulse: (point) => deps.onPulse(name, point),
  });

  /** What a board does not do is no bug. */
  const report = (error: unknown): void => {
    if (!(error instanceof UserError)) deps.onBug(error);
  };

  const summary = (): BoardSummary =>
    summaryOf({
      record,
      address,
      link: link.state,
      isSettingUp: setUp.isWorking(),
      image: record.facts && deps.provisioner.imageTag(record.facts),
      client: client?.view(),
      telemetry: deps.latest(name),
    });
  const changed = (): void => deps.tell({ kind: "board", device: name, board: summary() });

  const save = (change: Partial<BoardRecord>): void => {
    record = { ...record, ...change };
    deps.save(record);
    changed();
  };

  const online = (signal: AbortSignal = AbortSignal.timeout(PATIENCE_MS)): Promise<SshConnection> =>
    link.online(signal).catch((error: unknown) => {
      if (error instanceof BoardError) throw error;
      throw notConnected(name, link.state.problem, error);
    });

  const readFacts = async (connection: SshConnection): Promise<BoardFacts> => {
    const found = await probeBoard(connection);
    save({ facts: found });
    return found;
  };

  const facts = (): BoardFacts => {
    if (record.facts === undefined) throw new UserError(`Nothing is known of ${name} yet: probe it first.`);
    return record.facts;
  };

  const setUp = createBoardSetUp({
    name,
    provisioner: deps.provisioner,
    board: (): BoardToSetUp => ({
      name,
      connection: () => online(),
      async reconnect() {
        await link.disconnect();
        link.connect();
        return await online();
      },
      facts,
      probe: async () => await readFacts(await online()),
      ...(record.dataFolder === undefined ? {} : { dataFolder: record.dataFolder }),
    }),
    onStep: (step) => deps.tell({ kind: "board-step", device: name, step }),
    onChange: changed,
    onPlan: ({ ready }) => (ready === record.ready ? changed() : save({ ready })),
    onError: report,
  });

  const toSettle: BoardToSettle = {
    name,
    labId: deps.labId,
    factsAt: () => (record.facts === undefined ? undefined : Date.parse(record.facts.at)),
    facts,
    readFacts,
    drops: deps.drops,
    isOwned: (study) => study === client?.view().study || (study === "self-test" && setUp.isWorking()),
    report,
    now: deps.now,
  };
  const settle = async (connection: SshConnection): Promise<void> => {
    await settleBoard(connection, toSettle);
    if (!setUp.isWorking()) await setUp.look();
  };

  const announce = announceLink(name, deps.emit);
  link.onChange((state: LinkState): void => {
    announce(state);
    const { connection } = link;
    if (state.state === "online" && connection !== undefined && connection !== settled?.connection) {
      settled = { connection, done: settle(connection) };
      settled.done.catch(report);
    }
    changed();
  });

  const readAddress = (): void => {
    deps.addressOf(record.target).then(
      (found) => {
        if (found === address) return;
        address = found;
        changed();
      },
      () => {},
    );
  };
  readAddress();

  return {
    name,
    link,
    record: (): BoardRecord => record,
    /** @throws UserError before it was probed */
    facts,
    summary,
    plan: setUp.plan,
    online,
    look: setUp.look,
    /** What follows the latest sign-in is done. @throws BoardError */
    settled: async (): Promise<void> => await settled?.done,
    probe: async (): Promise<void> => {
      await readFacts(await online());
      if (!setUp.isWorking()) await setUp.look();
    },
    change(change: Partial<BoardRecord>): void {
      save(change);
      readAddress();
    },
    /** @param folder null: the lab sends each study's part */
    setDataFolder(folder: string | null): void {
      const { dataFolder: _, ...rest } = record;
      record = folder === null ? rest : { ...rest, dataFolder: folder };
      save({});
    },
    provision: (how: HowToProvision): void => setUp.provision(how),
    stopProvision: (): void => setUp.stop(),
    undo: (step: StepId, sudoPassword: string | undefined): void => setUp.undo(step, sudoPassword),
    /** The client of the study in which it takes part. */
    get client(): KeptClient | undefined {
      return client;
    },
    setClient(kept: KeptClient | undefined): void {
      client = kept;
      changed();
    },
    changed,
    /** Removes a study's data at once where the board is connected; else that is done at its next sign-in. */
    dropNow(study: string): void {
      const { connection } = link;
      if (connection !== undefined) dropStudy(connection, toSettle, study).catch(report);
    },
    async close(): Promise<void> {
      setUp.stop();
      await link.disconnect();
    },
  };
};

const notConnected = (name: string, problem: BoardProblem | undefined, cause: unknown): BoardError =>
  new BoardError(
    problem ?? {
      code: "no-answer",
      title: `${name} is not connected`,
      cause: `No connection was made within ${PATIENCE_MS / 1000} s.`,
      next: "Check that the board is on and in the network, then try again.",
      actions: [{ do: "retry", label: "Try again" }],
    },
    { cause },
  );
