import { join } from "node:path";
import type {
  BoardFacts,
  BoardLogLine,
  BoardSummary,
  BoardTarget,
  BoardView,
  SignIn,
  TelemetryPoint,
} from "#contract/boards.ts";
import type { Emit } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import { type Board, type BoardNews, type BoardRecord, createBoard } from "./board.ts";
import { createOutput } from "./board-output.ts";
import { createTelemetry, type Told } from "./board-telemetry.ts";
import { cleanBoard } from "./clean-board.ts";
import { createEngagement, type Engagement, type EngagementInput } from "./engagement.ts";
import { probeBoard } from "./probe/probe-board.ts";
import { createProvisioner } from "./provision/provisioner.ts";
import { openSecrets, type SecretsOptions } from "./secrets.ts";
import { createSigning, withoutSecret } from "./sign-in.ts";
import { openKnownHosts } from "./ssh/known-hosts.ts";
import { createLabKey } from "./ssh/lab-key.ts";
import { createSsh } from "./ssh/ssh.ts";
import { createPulse } from "./telemetry/pulse.ts";

/** What boards tell whoever watches. */
export type BoardsNotice =
  | BoardNews
  | { readonly kind: "telemetry"; readonly points: readonly Told[] }
  | { readonly kind: "board-log"; readonly device: string; readonly lines: readonly BoardLogLine[] };

export interface BoardsOptions {
  readonly dataDir: string;
  /** The folder of the Python client and its Dockerfiles. */
  readonly deviceScripts: string;
  readonly labId: () => string;
  readonly records: {
    list(): readonly BoardRecord[];
    /** @throws UserError when another is called so. */
    add(record: BoardRecord): void;
    save(record: BoardRecord): void;
    remove(name: string): boolean;
  };
  readonly log: {
    append(device: string, lines: readonly Omit<BoardLogLine, "id">[]): readonly BoardLogLine[];
    addPoints(points: readonly Told[]): void;
    forgetOldPoints(device: string, now: number): void;
    points(device: string, since: string, limit: number): readonly TelemetryPoint[];
  };
  readonly drops: {
    list(device: string): readonly string[];
    add(device: string, study: string): void;
    done(device: string, study: string): void;
  };
  /** How secrets rest; default: in memory, or a file where a person chooses one. */
  readonly secrets?: Pick<SecretsOptions, "cipher" | "note">;
  readonly emit: Emit;
  readonly onBug: (error: unknown) => void;
  /** Default: the user's own. */
  readonly sshConfig?: string;
  readonly now?: () => number;
}

export type Boards = ReturnType<typeof createBoards>;

const HOUR_MS = 3600 * 1000;
const POINTS = 720;

/** The boards of the lab. Nothing is contacted before `start`, or before a study wants them. */
export const createBoards = (options: BoardsOptions) => {
  const { records, log, emit, now = Date.now } = options;
  const listeners = new Set<(notice: BoardsNotice) => void>();
  const tell = (notice: BoardsNotice): void => {
    for (const listener of listeners) listener(notice);
  };
  const secrets = openSecrets({
    path: join(options.dataDir, "secrets.json"),
    ...options.secrets,
  });
  const labKey = createLabKey({ secrets, comment: "fedfleet" });
  const ssh = createSsh({
    knownHosts: openKnownHosts(join(options.dataDir, "known_hosts")),
    labKey,
    ...(options.sshConfig === undefined ? {} : { configPath: options.sshConfig }),
    ...(process.env.SSH_AUTH_SOCK === undefined ? {} : { agentSocket: process.env.SSH_AUTH_SOCK }),
  });
  let provisioner: ReturnType<typeof createProvisioner> | undefined;
  const provision = () => {
    provisioner ??= createProvisioner({
      deviceScripts: options.deviceScripts,
      labId: options.labId(),
      extraCa: process.env.FEDFLEET_EXTRA_CA ?? process.env.NODE_EXTRA_CA_CERTS,
    });
    return provisioner;
  };
  const telemetry = createTelemetry({
    pass: (points) => tell({ kind: "telemetry", points }),
    record: log.addPoints,
    tidy: (device) => log.forgetOldPoints(device, now()),
    now,
  });
  const output = createOutput({
    record: (device, lines) => log.append(device, lines),
    pass: (device, lines) => tell({ kind: "board-log", device, lines }),
  });

  const signing = createSigning({ ssh, labKey, secrets });

  const open = (record: BoardRecord): Board =>
    createBoard(record, {
      addressOf: async (target) => {
        const { host, port, user } = await ssh.addressOf(target);
        return `${user}@${host.includes(":") ? `[${host}]` : host}:${port}`;
      },
      connect: async (known, signal) =>
        await ssh.connect(known.target, await signing.of(known), { pinned: known.hostKey, signal }),
      pulse: createPulse(),
      onPulse: telemetry.told,
      latest: telemetry.latest,
      provisioner: provision(),
      save: records.save,
      labId: options.labId(),
      emit,
      tell,
      drops: options.drops,
      onBug: options.onBug,
      now,
    });
  const boards = new Map<string, Board>();
  let opened = false;
  /** Opened when they are wanted first: whoever only exports a table needs none. */
  const all = (): Map<string, Board> => {
    if (!opened) {
      opened = true;
      for (const record of records.list()) boards.set(record.name, open(record));
    }
    return boards;
  };
  const known = (name: string): Board => {
    const board = all().get(name);
    if (board === undefined) throw new UserError(`There is no board called ${name}.`);
    return board;
  };

  const engagements = new Set<Engagement>();
  const studyOf = (name: string): string | undefined => known(name).client?.view().study;

  return {
    onNotice(listener: (notice: BoardsNotice) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    secrets,
    sshEntries: ssh.entries,
    reach: ssh.reach,
    trust: ssh.trust,
    has: (name: string): boolean => all().has(name),
    summaries: (): ReadonlyMap<string, BoardSummary> =>
      new Map([...all()].map(([name, board]) => [name, board.summary()])),
    summary: (name: string): BoardSummary | undefined => all().get(name)?.summary(),
    view(name: string): BoardView | undefined {
      const board = all().get(name);
      if (board === undefined) return undefined;
      const { target, signIn, hostKey, addedAt, facts, dataFolder } = board.record();
      const plan = board.plan();
      return {
        ...board.summary(),
        name,
        target,
        signIn: signIn.kind,
        hostKey,
        addedAt,
        ...(facts === undefined ? {} : { facts }),
        ...(plan === undefined ? {} : { plan }),
        ...(dataFolder === undefined ? {} : { dataFolder }),
        history: log.points(name, new Date(now() - HOUR_MS).toISOString(), POINTS),
      };
    },
    async add(given: {
      readonly name: string;
      readonly target: BoardTarget;
      readonly signIn: SignIn;
      readonly installKey: boolean;
      readonly dataFolder?: string | undefined;
    }): Promise<void> {
      const taken = [...all().keys()].find((name) => name.toLowerCase() === given.name.toLowerCase());
      if (taken !== undefined) {
        throw new UserError(`There is a board called ${taken} already. Choose another name.`);
      }
      const hostKey = await signing.trustedKey(given.target);
      const { connection, signIn } = await signing.signInAt(
        given.target,
        given.signIn,
        hostKey,
        given.installKey,
      );
      let facts: BoardFacts;
      try {
        facts = await probeBoard(connection);
      } finally {
        connection.end();
      }
      const record: BoardRecord = {
        name: given.name,
        target: given.target,
        signIn: withoutSecret(signIn),
        hostKey,
        ...(given.dataFolder === undefined ? {} : { dataFolder: given.dataFolder }),
        facts,
        ready: false,
        addedAt: new Date(now()).toISOString(),
      };
      records.add(record);
      await signing.keep(given.name, signIn);
      const board = open(record);
      boards.set(given.name, board);
      board.link.connect();
      await board.online();
      await board.look();
    },
    async change(
      name: string,
      change: {
        readonly target?: BoardTarget | undefined;
        readonly signIn?: SignIn | undefined;
        readonly installKey?: boolean | undefined;
        readonly dataFolder?: string | null | undefined;
      },
    ): Promise<void> {
      const board = known(name);
      const before = board.record();
      if (change.dataFolder !== undefined) board.setDataFolder(change.dataFolder);
      if (change.target === undefined && change.signIn === undefined) {
        if (change.dataFolder !== undefined && board.link.connection !== undefined) await board.look();
        return;
      }
      const target = change.target ?? before.target;
      const wanted = change.signIn ?? (await signing.of(before));
      const { connection, signIn } = await signing.signInAt(
        target,
        wanted,
        before.hostKey,
        change.installKey === true,
      );
      connection.end();
      await signing.keep(name, signIn);
      board.change({ target, signIn: withoutSecret(signIn) });
      await board.link.disconnect();
      board.link.connect();
    },
    async replaceKey(name: string, fingerprint: string): Promise<void> {
      const board = known(name);
      const reached = await ssh.reach(board.record().target);
      if (reached.isJump || reached.key.fingerprint !== fingerprint) {
        throw new UserError(
          `${name} shows ${reached.key.fingerprint} now, not ${fingerprint}: look at it again before you take it.`,
        );
      }
      await ssh.replace(reached.host, reached.port, fingerprint);
      board.change({ hostKey: reached.key });
      board.link.connect();
    },
    /** Connects all boards and keeps them connected. */
    start(): void {
      for (const board of all().values()) board.link.connect();
    },
    connect(name: string): void {
      known(name).link.connect();
    },
    probe: (name: string): Promise<void> => known(name).probe(),
    provision(name: string, how: Parameters<Board["provision"]>[0]): void {
      known(name).provision(how);
    },
    stopProvision(name: string): void {
      known(name).stopProvision();
    },
    undo(name: string, ...what: Parameters<Board["undo"]>): void {
      known(name).undo(...what);
    },
    async client(name: string, action: "restart" | "stop" | "remove"): Promise<void> {
      const { client } = known(name);
      if (client === undefined) throw new UserError(`${name} has no client now: it takes part in no study.`);
      if (action === "restart") client.restart();
      else await client.hold(action);
    },
    /** @returns what could not be removed from the board, in one sentence. */
    async remove(name: string, cleanUp: boolean): Promise<string | undefined> {
      const board = known(name);
      if (studyOf(name) !== undefined) {
        throw new UserError(`${name} takes part in a study that is under way: stop the study first.`);
      }
      board.stopProvision();
      const left = cleanUp ? await cleanBoard(board, { labId: options.labId(), labKey }) : undefined;
      await board.close();
      boards.delete(name);
      records.remove(name);
      telemetry.forget(name);
      await signing.forget(name);
      return left;
    },
    /** Brings the clients of a study up on its boards and keeps them there. */
    engage(
      input: Omit<EngagementInput, "labId" | "emit" | "output" | "imageTag" | "boards" | "onBug">,
    ): Engagement {
      const engagement = createEngagement({
        ...input,
        boards: input.devices.map(known),
        labId: options.labId(),
        imageTag: (facts) => provision().imageTag(facts),
        emit,
        output: output.add,
        onBug: options.onBug,
      });
      engagements.add(engagement);
      void engagement.over.finally(() => engagements.delete(engagement));
      return engagement;
    },
    /** What the lab put on boards for a study goes: now where they are connected, else when they are again. */
    forgetStudy(study: string, devices: readonly string[]): void {
      for (const name of devices) {
        const board = all().get(name);
        if (board === undefined) continue;
        options.drops.add(name, study);
        board.dropNow(study);
      }
    },
    async close(): Promise<void> {
      await Promise.all([...engagements].map((engagement) => engagement.stop(false)));
      await Promise.all([...boards.values()].map((board) => board.close()));
      output.flush();
      telemetry.close();
      listeners.clear();
    },
  };
};
