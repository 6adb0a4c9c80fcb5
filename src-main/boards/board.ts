import type {
  BoardFacts,
  BoardProblem,
  BoardSummary,
  BoardTarget,
  HostKey,
  ProvisionPlan,
  SignIn,
  StepId,
  StepView,
  TelemetryPoint,
} from "#contract/boards.ts";
import type { Emit } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import { dropPart } from "./board-data/drop-part.ts";
import { BoardError, type BoardLink, type LinkState, type Pulse, type SshConnection } from "./board-ports.ts";
import { createEngine } from "./docker/engine.ts";
import type { KeptClient } from "./launch/kept-client.ts";
import { sweepWhenItAnswers } from "./launch/sweep.ts";
import { probeBoard } from "./probe/probe-board.ts";
import type { HowToProvision, Provisioner } from "./provision/provisioner.ts";
import { createBoardLink } from "./ssh/board-link.ts";

/** What is on record of a board. */
export interface BoardRecord {
  readonly name: string;
  readonly target: BoardTarget;
  readonly signIn:
    | { readonly kind: Exclude<SignIn["kind"], "key"> }
    | { readonly kind: "key"; readonly path: string };
  readonly hostKey: HostKey;
  readonly dataFolder?: string;
  readonly facts?: BoardFacts;
  readonly ready: boolean;
  readonly addedAt: string;
}

/** What a board tells the pages. */
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
  /** Studies whose part is still on the board although they were forgotten. */
  readonly drops: { list(device: string): readonly string[]; done(device: string, study: string): void };
  onBug(error: unknown): void;
  now(): number;
}

/** A probe is looked at anew after so long. */
const FACTS_LAST_MS = 3600 * 1000;
/** How long a person's question waits for the connection. */
const PATIENCE_MS = 30_000;

export type Board = ReturnType<typeof createBoard>;

/** One board: its connection, what is known of it, its set-up, its client. */
export const createBoard = (initial: BoardRecord, deps: BoardDeps) => {
  let record = initial;
  let address = plainAddress(initial.target);
  let plan: ProvisionPlan | undefined;
  let provisioning: AbortController | undefined;
  let client: KeptClient | undefined;
  let told: { state: LinkState["state"]; code: string | undefined } = { state: "offline", code: undefined };
  let settled: SshConnection | undefined;
  const { name } = initial;

  const link: BoardLink = createBoardLink({
    connect: (signal) => deps.connect(record, signal),
    pulse: deps.pulse,
    onPulse: (point) => deps.onPulse(name, point),
  });

  /** What a board does not do is no bug. */
  const report = (error: unknown): void => {
    if (!(error instanceof UserError)) deps.onBug(error);
  };

  const setup = (): BoardSummary["setup"] => {
    if (provisioning !== undefined) return "running";
    if (record.facts === undefined) return "unknown";
    if (record.facts.recipe === undefined) return "unsupported";
    return record.ready ? "ready" : "needed";
  };

  const summary = (): BoardSummary => {
    const { state, since, problem, retryAt } = link.state;
    const image = record.facts && deps.provisioner.imageTag(record.facts);
    const telemetry = deps.latest(name);
    const view = client?.view();
    return {
      address,
      state,
      since,
      ...(problem === undefined ? {} : { problem }),
      ...(retryAt === undefined ? {} : { retryAt }),
      setup: setup(),
      ...(record.facts === undefined ? {} : { model: record.facts.model, arch: record.facts.arch }),
      ...(image === undefined || !record.ready ? {} : { image }),
      ...(view === undefined ? {} : { client: view }),
      ...(telemetry === undefined ? {} : { telemetry }),
    };
  };
  const changed = (): void => deps.tell({ kind: "board", device: name, board: summary() });

  const save = (change: Partial<BoardRecord>): void => {
    record = { ...record, ...change };
    deps.save(record);
    changed();
  };

  const probe = async (connection?: SshConnection): Promise<BoardFacts> => {
    const found = await probeBoard(connection ?? (await online()));
    save({ facts: found });
    return found;
  };

  const online = (signal: AbortSignal = AbortSignal.timeout(PATIENCE_MS)): Promise<SshConnection> =>
    link.online(signal).catch((error: unknown) => {
      if (error instanceof BoardError) throw error;
      throw notConnected(name, link.state.problem, error);
    });

  const facts = (): BoardFacts => {
    if (record.facts === undefined) throw new UserError(`${name} was not looked at yet: probe it first.`);
    return record.facts;
  };

  /** What the provisioner works on. */
  const handle = () => ({
    name,
    connection: () => online(),
    async reconnect() {
      await link.disconnect();
      link.connect();
      return await online();
    },
    facts,
    probe: () => probe(),
    ...(record.dataFolder === undefined ? {} : { dataFolder: record.dataFolder }),
  });

  const look = async (): Promise<ProvisionPlan> => {
    plan = await deps.provisioner.look(handle());
    if (plan.ready === record.ready) changed();
    else save({ ready: plan.ready });
    return plan;
  };

  const drop = async (connection: SshConnection, study: string): Promise<void> => {
    await dropPart(connection, study);
    deps.drops.done(name, study);
  };

  /** After each sign-in: nothing of an earlier session is left there, and what is known is fresh. */
  const settle = async (connection: SshConnection): Promise<void> => {
    const age = deps.now() - Date.parse(record.facts?.at ?? "1970-01-01");
    if (age > FACTS_LAST_MS) await probe(connection);
    for (const study of deps.drops.list(name)) await drop(connection, study);
    const { docker } = facts();
    if (docker.state !== "missing") {
      const isOwned = (study: string): boolean =>
        study === client?.view().study || (study === "self-test" && provisioning !== undefined);
      const engine = createEngine(connection, docker.socket);
      // Beside the rest: an engine may be long in starting.
      sweepWhenItAnswers(engine, connection, deps.labId, isOwned, name).catch(report);
    }
    if (provisioning === undefined) await look();
  };

  const onLink = (state: LinkState): void => {
    const code = state.problem?.code;
    // What the lab itself ends is no news.
    const isNews = state.state !== "connecting" && (state.state !== "offline" || code !== undefined);
    if (isNews && (state.state !== told.state || code !== told.code)) {
      told = { state: state.state, code };
      deps.emit({
        kind: "board-state",
        device: name,
        state: state.state,
        ...(state.problem === undefined ? {} : { problem: state.problem }),
      });
    }
    const { connection } = link;
    if (state.state === "online" && connection !== undefined && connection !== settled) {
      settled = connection;
      settle(connection).catch(report);
    }
    changed();
  };
  link.onChange(onLink);

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

  const onStep = (step: StepView): void => {
    if (plan !== undefined) {
      plan = { ...plan, steps: plan.steps.map((one) => (one.id === step.id ? step : one)) };
    }
    deps.tell({ kind: "board-step", device: name, step });
  };

  /** One at a time, in the background; how it goes comes as news. */
  const work = (run: (signal: AbortSignal) => Promise<ProvisionPlan>): void => {
    if (provisioning !== undefined) {
      throw new UserError(`${name} is being set up already. Wait for it, or stop it.`);
    }
    const controller = new AbortController();
    provisioning = controller;
    if (plan !== undefined) plan = { ...plan, running: true };
    changed();
    run(controller.signal)
      .then((done) => {
        plan = done;
        if (done.ready !== record.ready) save({ ready: done.ready });
      })
      .catch(report)
      .finally(() => {
        provisioning = undefined;
        if (plan !== undefined) plan = { ...plan, running: false };
        changed();
      });
  };

  return {
    name,
    link,
    record: (): BoardRecord => record,
    /** @throws UserError while it was not looked at */
    facts,
    summary,
    plan: (): ProvisionPlan | undefined => plan,
    online,
    look,
    probe: async (): Promise<void> => {
      await probe();
      if (provisioning === undefined) await look();
    },
    change(change: Partial<BoardRecord>): void {
      save(change);
      readAddress();
    },
    /** The data folder as a property that may go away. */
    setDataFolder(folder: string | null): void {
      const { dataFolder: _, ...rest } = record;
      record = folder === null ? rest : { ...rest, dataFolder: folder };
      save({});
    },
    provision(how: HowToProvision): void {
      work((signal) => deps.provisioner.run(handle(), how, { onStep, signal }));
    },
    stopProvision(): void {
      provisioning?.abort();
    },
    undo(step: StepId, sudoPassword: string | undefined): void {
      const how = { ...(sudoPassword === undefined ? {} : { sudoPassword }), agreed: [step] };
      work((signal) => deps.provisioner.undo(handle(), step, how, { onStep, signal }));
    },
    /** The client of the study that it takes part in. */
    get client(): KeptClient | undefined {
      return client;
    },
    setClient(kept: KeptClient | undefined): void {
      client = kept;
      changed();
    },
    changed,
    /** A study's data go at once, if the board is there; else at its next sign-in. */
    dropNow(study: string): void {
      const { connection } = link;
      if (connection === undefined) return;
      drop(connection, study).catch(report);
    },
    async close(): Promise<void> {
      provisioning?.abort();
      await link.disconnect();
    },
  };
};

/** "pi@10.0.0.7:2222", as far as it was said. */
const plainAddress = ({ host, port, user }: BoardTarget): string =>
  `${user === undefined ? "" : `${user}@`}${host.includes(":") ? `[${host}]` : host}${port === undefined ? "" : `:${port}`}`;

const notConnected = (name: string, problem: BoardProblem | undefined, cause: unknown): BoardError =>
  new BoardError(
    problem ?? {
      code: "no-answer",
      title: `${name} is not connected`,
      cause: `No connection came about within ${PATIENCE_MS / 1000} s.`,
      next: "Look whether the board is on and in the network, then try again.",
      actions: [{ do: "retry", label: "Try again" }],
    },
    { cause },
  );
