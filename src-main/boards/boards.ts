import { join } from "node:path";
import type { BoardSummary, BoardView, SignIn } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { type Board, createBoard } from "./board.ts";
import { createBoardChanges } from "./board-changes.ts";
import { createOutput } from "./board-output.ts";
import { type BoardRecord, withoutSecret } from "./board-record.ts";
import { createBoardRegister } from "./board-register.ts";
import { viewOf } from "./board-summary.ts";
import { createTelemetry } from "./board-telemetry.ts";
import type { BoardsNotice, BoardsOptions } from "./boards-options.ts";
import { createEngagement, type Engagement, type EngagementInput } from "./engagement.ts";
import { createProvisioner } from "./provision/provisioner.ts";
import { openSecrets } from "./secrets.ts";
import { createSigning } from "./sign-in.ts";
import { openKnownHosts } from "./ssh/known-hosts.ts";
import { createLabKey } from "./ssh/lab-key.ts";
import { createSsh } from "./ssh/ssh.ts";
import { createPulse } from "./telemetry/pulse.ts";
import { createTelemetryDemand } from "./telemetry/telemetry-demand.ts";

export type Boards = ReturnType<typeof createBoards>;

const HOUR_MS = 3600 * 1000;
/** Points of the last hour that a page is given. */
const POINTS = 720;

/** The boards of the lab. Nothing is contacted before `start`, or before a study wants it. */
export const createBoards = (options: BoardsOptions) => {
  const { records, log, emit, now = Date.now } = options;
  const listeners = new Set<(notice: BoardsNotice) => void>();
  const tell = (notice: BoardsNotice): void => {
    for (const listener of listeners) listener(notice);
  };
  const secrets = openSecrets({ path: join(options.dataDir, "secrets.json"), ...options.secrets });
  const labKey = createLabKey({ secrets, comment: "fedfleet" });
  const ssh = createSsh({
    knownHosts: openKnownHosts(join(options.dataDir, "known_hosts")),
    labKey,
    ...(options.sshConfig === undefined ? {} : { configPath: options.sshConfig }),
    ...(process.env.SSH_AUTH_SOCK === undefined ? {} : { agentSocket: process.env.SSH_AUTH_SOCK }),
  });
  const signing = createSigning({ ssh, labKey, secrets });
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
  const demand = createTelemetryDemand((device, wanted) => {
    register.find(device)?.link.readTelemetry(wanted);
    // What was read some time ago is not what the board says now.
    if (!wanted) telemetry.forget(device);
  });
  const output = createOutput({
    record: (device, lines) => log.append(device, lines),
    pass: (device, lines) => tell({ kind: "board-log", device, lines }),
  });

  /** The board refused the lab's key, and was signed in to as before. */
  const keepOldSignIn = (name: string, signIn: SignIn): void => {
    register.get(name).change({ signIn: withoutSecret(signIn) });
    const text = `${name} does not accept the lab's own key. The lab keeps signing in as before.`;
    output.add(name, { at: new Date(now()).toISOString(), stream: "lab", text });
  };

  const open = (record: BoardRecord): Board => {
    const board = createBoard(record, {
      addressOf: async (target) => {
        const { host, port, user } = await ssh.addressOf(target);
        return `${user}@${host.includes(":") ? `[${host}]` : host}:${port}`;
      },
      async connect(known, signal) {
        const { connection, signIn } = await signing.connect(known, signal);
        if (signIn !== undefined) keepOldSignIn(known.name, signIn);
        return connection;
      },
      pulse: createPulse(),
      onPulse: telemetry.add,
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
    board.link.readTelemetry(demand.isWanted(record.name));
    return board;
  };
  const register = createBoardRegister({ list: records.list, open });
  const { labId } = options;
  const changes = createBoardChanges({ register, ssh, signing, labKey, records, labId, now });
  const engagements = new Set<Engagement>();

  return {
    onNotice(listener: (notice: BoardsNotice) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    secrets,
    sshEntries: ssh.entries,
    reach: ssh.reach,
    trust: ssh.trust,
    add: changes.add,
    change: changes.change,
    replaceKey: changes.replaceKey,
    async remove(name: string, cleanUp: boolean): Promise<string | undefined> {
      const left = await changes.remove(name, cleanUp);
      telemetry.forget(name);
      return left;
    },
    has: (name: string): boolean => register.find(name) !== undefined,
    summaries: (): ReadonlyMap<string, BoardSummary> =>
      new Map([...register.all()].map(([name, board]) => [name, board.summary()])),
    summary: (name: string): BoardSummary | undefined => register.find(name)?.summary(),
    view(name: string): BoardView | undefined {
      const board = register.find(name);
      if (board === undefined) return undefined;
      const history = log.points(name, new Date(now() - HOUR_MS).toISOString(), POINTS);
      return viewOf(board.summary(), board.record(), board.plan(), history);
    },
    /**
     * Reads the telemetry of boards until the returned function is called; notices bring it.
     * Names without a board are passed over.
     */
    watchTelemetry: (names: readonly string[]): (() => void) =>
      demand.ask(names.filter((name) => register.find(name) !== undefined)),
    /** Connects all boards and keeps them connected. */
    start(): void {
      for (const board of register.all().values()) board.link.connect();
    },
    connect: (name: string): void => register.get(name).link.connect(),
    probe: (name: string): Promise<void> => register.get(name).probe(),
    provision: (name: string, how: Parameters<Board["provision"]>[0]): void =>
      register.get(name).provision(how),
    stopProvision: (name: string): void => register.get(name).stopProvision(),
    undo: (name: string, ...what: Parameters<Board["undo"]>): void => register.get(name).undo(...what),
    async client(name: string, action: "restart" | "stop" | "remove"): Promise<void> {
      const { client } = register.get(name);
      if (client === undefined) throw new UserError(`${name} has no client: it takes part in no study now.`);
      if (action === "restart") client.restart();
      else await client.hold(action);
    },
    /** Starts the clients of a study on its boards and keeps them running. */
    engage(
      input: Omit<EngagementInput, "labId" | "emit" | "output" | "imageTag" | "boards" | "onBug">,
    ): Engagement {
      const boards = input.devices.map(register.get);
      const release = demand.ask(input.devices);
      const engagement = createEngagement({
        ...input,
        boards,
        labId: options.labId(),
        imageTag: (facts) => provision().imageTag(facts),
        emit,
        output: output.add,
        onBug: options.onBug,
      });
      engagements.add(engagement);
      void engagement.over.finally(() => {
        release();
        engagements.delete(engagement);
      });
      return engagement;
    },
    /** Removes what the lab put on boards for a study: now where they are connected, else at their next sign-in. */
    forgetStudy(study: string, devices: readonly string[]): void {
      for (const name of devices) {
        const board = register.find(name);
        if (board === undefined) continue;
        options.drops.add(name, study);
        board.dropNow(study);
      }
    },
    async close(): Promise<void> {
      await Promise.all([...engagements].map((engagement) => engagement.stop(false)));
      await Promise.all(register.opened().map((board) => board.close()));
      demand.close();
      output.flush();
      telemetry.close();
      listeners.clear();
    },
  };
};
