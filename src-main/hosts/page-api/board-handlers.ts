import type {
  BoardLogLine,
  BoardTarget,
  BoardView,
  ListedBoard,
  Reached,
  SecretsView,
  SignIn,
  SshEntry,
  StepId,
} from "#contract/boards.ts";
import { isExternalName, type VirtualGroup } from "#contract/fleet.ts";
import { page } from "./base.ts";

/** What the page's requests about boards need. All throw a UserError for what a person can fix. */
export interface BoardPorts {
  sshEntries(): Promise<readonly SshEntry[]>;
  readonly secrets: { view(): SecretsView; keepInFile(keep: boolean): Promise<SecretsView> };
  readList(text: string): readonly ListedBoard[];
  reach(target: BoardTarget): Promise<Reached>;
  trust(host: string, port: number, fingerprint: string): Promise<void>;
  add(board: {
    readonly name: string;
    readonly target: BoardTarget;
    readonly signIn: SignIn;
    readonly installKey: boolean;
    readonly dataFolder?: string | undefined;
  }): Promise<void>;
  has(name: string): boolean;
  /** @returns undefined where there is no such board. */
  view(name: string): Promise<BoardView | undefined>;
  change(
    name: string,
    change: {
      readonly target?: BoardTarget | undefined;
      readonly signIn?: SignIn | undefined;
      readonly installKey?: boolean | undefined;
      readonly dataFolder?: string | null | undefined;
    },
  ): Promise<void>;
  replaceKey(name: string, fingerprint: string): Promise<void>;
  connect(name: string): Promise<void>;
  probe(name: string): Promise<void>;
  provision(
    name: string,
    how: {
      readonly steps?: readonly StepId[] | undefined;
      readonly sudoPassword?: string | undefined;
      readonly agreed: readonly StepId[];
      readonly imageFile?: string | undefined;
    },
  ): Promise<void>;
  stopProvision(name: string): Promise<void>;
  undo(name: string, step: StepId, sudoPassword: string | undefined): Promise<void>;
  client(name: string, action: "restart" | "stop" | "remove"): Promise<void>;
  /** Reads the telemetry of boards until the returned function is called. */
  watchTelemetry(names: readonly string[]): () => void;
  logs(query: {
    readonly name: string;
    readonly study?: string | undefined;
    readonly search?: string | undefined;
    readonly before?: number | undefined;
    readonly limit: number;
  }): { readonly lines: readonly BoardLogLine[]; readonly more: boolean };
  /** @returns what could not be removed from the board. */
  remove(name: string, cleanUp: boolean): Promise<string | undefined>;
  /** Groups of virtual devices, whose names are taken. */
  groups(): readonly VirtualGroup[];
  /** Tells the pages that the fleet changed. */
  changed(): void;
  /** Aborted when the lab closes. */
  readonly closed: AbortSignal;
}

const noBoard = (name: string): string => `There is no longer a board called ${name}.`;

/** Why a board cannot have this name. */
const clash = (name: string, groups: readonly VirtualGroup[]): string | undefined => {
  if (isExternalName(name)) return "External clients are called external-1, external-2, ….";
  const group = groups.find(
    (one) => name.toLowerCase().replace(/-\d+$/, "") === one.name.toLowerCase() && /-\d+$/.test(name),
  );
  return group === undefined ? undefined : `Devices of the group ${group.name} have names like this.`;
};

export const boardHandlers = (ports: BoardPorts) => {
  const { boards } = page;

  type Errors = { NOT_FOUND(options: { message: string }): Error };
  const viewOf = async (name: string, errors: Errors): Promise<BoardView> => {
    const view = await ports.view(name);
    if (view === undefined) throw errors.NOT_FOUND({ message: noBoard(name) });
    return view;
  };
  /** Answers with the board as it is after the work. */
  const after = async (name: string, errors: Errors, work: () => Promise<void>): Promise<BoardView> => {
    if (!ports.has(name)) throw errors.NOT_FOUND({ message: noBoard(name) });
    await work();
    return await viewOf(name, errors);
  };

  return {
    sshEntries: boards.sshEntries.handler(() => ports.sshEntries()),
    secrets: boards.secrets.handler(() => ports.secrets.view()),
    keepSecretsInFile: boards.keepSecretsInFile.handler(({ input }) => ports.secrets.keepInFile(input.keep)),
    readList: boards.readList.handler(({ input }) => ports.readList(input.text)),
    reach: boards.reach.handler(({ input }) => ports.reach(input.target)),

    trust: boards.trust.handler(async ({ input: { host, port, fingerprint } }) => {
      await ports.trust(host, port, fingerprint);
      return { trusted: true as const };
    }),

    add: boards.add.handler(async ({ input, errors }) => {
      const why = clash(input.name, ports.groups());
      if (why !== undefined) {
        const message = `${why} Choose another name.`;
        throw errors.PROBLEM({ message, data: { fields: [{ path: "name", message }] } });
      }
      await ports.add(input);
      ports.changed();
      return await viewOf(input.name, errors);
    }),

    get: boards.get.handler(({ input, errors }) => viewOf(input.name, errors)),

    change: boards.change.handler(({ input: { name, ...change }, errors }) =>
      after(name, errors, async () => {
        await ports.change(name, change);
        ports.changed();
      }),
    ),

    replaceKey: boards.replaceKey.handler(({ input: { name, typedName, fingerprint }, errors }) =>
      after(name, errors, async () => {
        if (typedName !== name) {
          const message = `Type ${name} to confirm that this board gets another key.`;
          throw errors.PROBLEM({ message, data: { fields: [{ path: "typedName", message }] } });
        }
        await ports.replaceKey(name, fingerprint);
        ports.changed();
      }),
    ),

    connect: boards.connect.handler(({ input: { name }, errors }) =>
      after(name, errors, () => ports.connect(name)),
    ),
    probe: boards.probe.handler(({ input: { name }, errors }) =>
      after(name, errors, () => ports.probe(name)),
    ),
    provision: boards.provision.handler(({ input: { name, ...how }, errors }) =>
      after(name, errors, () => ports.provision(name, how)),
    ),
    stopProvision: boards.stopProvision.handler(({ input: { name }, errors }) =>
      after(name, errors, () => ports.stopProvision(name)),
    ),
    undo: boards.undo.handler(({ input: { name, step, sudoPassword }, errors }) =>
      after(name, errors, () => ports.undo(name, step, sudoPassword)),
    ),
    client: boards.client.handler(({ input, errors }) =>
      after(input.name, errors, () => ports.client(input.name, input.do)),
    ),

    watchTelemetry: boards.watchTelemetry.handler(({ input, signal }) =>
      watchTelemetry(ports, input.names, signal),
    ),

    logs: boards.logs.handler(({ input }) => ports.logs(input)),

    remove: boards.remove.handler(async ({ input: { name, cleanUp }, errors }) => {
      if (!ports.has(name)) throw errors.NOT_FOUND({ message: noBoard(name) });
      const left = await ports.remove(name, cleanUp);
      ports.changed();
      return { removed: true as const, ...(left === undefined ? {} : { left }) };
    }),
  };
};

/** Says once which boards are read; they are for as long as the page keeps the stream open. */
async function* watchTelemetry(
  { watchTelemetry: watch, closed }: Pick<BoardPorts, "watchTelemetry" | "closed">,
  names: readonly string[],
  asker: AbortSignal | undefined,
): AsyncGenerator<{ readonly watching: readonly string[] }, void, void> {
  const signal = asker === undefined ? closed : AbortSignal.any([asker, closed]);
  const release = watch(names);
  try {
    yield { watching: names };
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
  } finally {
    release();
  }
}
