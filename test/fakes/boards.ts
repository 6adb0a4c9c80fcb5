import type { BoardLogLine, BoardSummary, BoardView, ListedBoard, SecretsView } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import type { VirtualGroup } from "#contract/fleet.ts";
import type { BoardPorts } from "#main/hosts/page-api/board-handlers.ts";
import { CASES, factsOf, KEY, MODELS, OTHER_KEY, pointOf, problem } from "./board-examples.ts";
import { planOf } from "./board-plans.ts";
import { createFakeReach, FakeBoardError } from "./board-reach.ts";
import { createFakeSetUps, type FakeBoard, type FakeNotice } from "./board-set-up.ts";

const HOUR_MS = 3600 * 1000;

/**
 * A fleet of boards in memory, in every state that one can be in: for looking at the page, and for trying its
 * requests. Hosts called refused, changed, behind or known answer as they are called; the password "wrong" is refused.
 */
export const createFakeBoards = ({
  count,
  study = "none",
  tell = () => {},
  now = Date.now,
  pace = 1000,
  appendLog,
}: {
  readonly count: number;
  /** Of the clients that ended. */
  readonly study?: string;
  readonly tell?: (notice: FakeNotice) => void;
  readonly now?: () => number;
  /** Milliseconds of a step of a set-up's progress, and between telemetry. */
  readonly pace?: number;
  /** Where lines are numbered; default: here. */
  readonly appendLog?: (
    device: string,
    lines: readonly Omit<BoardLogLine, "id">[],
  ) => readonly BoardLogLine[];
}) => {
  const boards = new Map<string, FakeBoard>();
  const logs = new Map<string, BoardLogLine[]>();
  const trusted = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  let kept: SecretsView["kept"] = "memory";
  let lines = 0;
  const iso = (at = now()) => new Date(at).toISOString();
  const later = (ms: number, work: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };
  const known = (name: string): FakeBoard => {
    const board = boards.get(name);
    if (board === undefined) throw new UserError(`There is no board called ${name}.`);
    return board;
  };
  const change = (name: string, more: Partial<BoardView>): void => {
    const board = known(name);
    board.view = { ...board.view, ...more };
    tell({ kind: "board", device: name, board: summaryOf(board.view) });
  };
  const print = (device: string, texts: readonly Omit<BoardLogLine, "id">[]): void => {
    const numbered = appendLog?.(device, texts) ?? texts.map((line) => ({ ...line, id: ++lines }));
    if (appendLog === undefined) logs.set(device, [...(logs.get(device) ?? []), ...numbered]);
    tell({ kind: "board-log", device, lines: numbered });
  };

  const place = (i: number): void => {
    const example = MODELS[i % MODELS.length]!;
    const { client, ...state } = CASES[i % CASES.length]!;
    const stem = example.family === "jetson" ? "jetson" : "pi";
    const name =
      i === 7 ? "window-sill-of-the-greenhouse-behind-lab-3" : `${stem}-${String(i + 1).padStart(2, "0")}`;
    const docker = state.setup === "needed" ? "missing" : "ready";
    const away = state.state === "offline" || state.state === "locked";
    const history = away
      ? []
      : Array.from({ length: 360 }, (_, k) => pointOf(example, now() - HOUR_MS + k * 10_000, i));
    const view: BoardView = {
      name,
      address: `lab@10.0.3.${i + 10}:22`,
      since: iso(now() - 60_000 * (i + 2)),
      ...state,
      ...(state.state === "offline" ? { retryAt: iso(now() + 24_000) } : {}),
      model: example.model,
      arch: "arm64",
      ...(state.setup === "ready" ? { image: example.image } : {}),
      ...(client === undefined ? {} : { client: { ...client, study, run: "r1", startedAt: iso() } }),
      ...(history.length === 0 ? {} : { telemetry: history.at(-1)! }),
      target: { host: `10.0.3.${i + 10}`, user: "lab" },
      signIn: "lab-key",
      hostKey: KEY,
      addedAt: iso(now() - 86_400_000 * 3),
      facts: factsOf(example, iso(now() - 600_000), docker),
      plan: planOf(state.setup === "needed" ? "missing" : "done"),
      history,
    };
    boards.set(name, { view, example, seed: i });
  };
  for (let i = 0; i < count; i++) place(i);

  const setUps = createFakeSetUps({ known, change, tell, later, pace, iso });

  const ports = {
    sshEntries: async () => [
      { alias: "kitchen", host: "pi-kitchen.local", port: 22, user: "pi" },
      { alias: "behind-gate", host: "10.9.0.4", port: 2222, user: "lab", jump: "gate" },
    ],
    secrets: {
      view: (): SecretsView => ({
        kept,
        canUseFile: true,
        ...(kept === "file" ? { path: "/home/me/.local/share/fedfleet/secrets.json" } : {}),
      }),
      async keepInFile(keep: boolean): Promise<SecretsView> {
        kept = keep ? "file" : "memory";
        return ports.secrets.view();
      },
    },
    readList: (text: string): readonly ListedBoard[] =>
      text.split("\n").flatMap((row, i): ListedBoard[] => {
        if (row.trim() === "") return [];
        const [, user, host, port] = /^([\w-]+)@([\w.-]+)(?::(\d+))?$/.exec(row.trim()) ?? [];
        if (host === undefined || user === undefined)
          return [{ line: i + 1, problem: "This is no address: write user@host or user@host:port." }];
        return [
          { line: i + 1, target: { host, user, ...(port === undefined ? {} : { port: Number(port) }) } },
        ];
      }),
    reach: createFakeReach({ trusted, pace }),
    async trust(host: string): Promise<void> {
      trusted.add(host);
    },
    async add(given: Parameters<BoardPorts["add"]>[0]): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, pace));
      if (given.signIn.kind === "password" && given.signIn.password === "wrong")
        throw new FakeBoardError(
          problem(
            "sign-in-refused",
            `${given.target.host} refused the password`,
            `The password of ${given.target.user ?? "lab"} is another, or that user may not sign in with one.`,
            "Try again, or sign in with a key.",
            { raw: "All configured authentication methods failed" },
          ),
        );
      if (boards.has(given.name)) throw new UserError(`There is a board called ${given.name} already.`);
      const example = MODELS[given.name.length % MODELS.length]!;
      const view: BoardView = {
        name: given.name,
        address: `${given.target.user ?? "lab"}@${given.target.host}:${given.target.port ?? 22}`,
        state: "online",
        since: iso(),
        setup: "needed",
        model: example.model,
        arch: "arm64",
        target: {
          host: given.target.host,
          ...(given.target.user === undefined ? {} : { user: given.target.user }),
        },
        signIn: given.installKey ? "lab-key" : given.signIn.kind,
        hostKey: KEY,
        addedAt: iso(),
        facts: factsOf(example, iso(), "missing"),
        plan: planOf("missing"),
        history: [],
      };
      boards.set(given.name, { view, example, seed: boards.size });
    },
    has: (name: string) => boards.has(name),
    view: async (name: string) => boards.get(name)?.view,
    async change(name: string, what: Parameters<BoardPorts["change"]>[1]): Promise<void> {
      const { dataFolder: _before, ...rest } = known(name).view;
      known(name).view = {
        ...rest,
        ...(typeof what.dataFolder === "string" ? { dataFolder: what.dataFolder } : {}),
      };
      change(name, what.signIn === undefined ? {} : { state: "online", signIn: what.signIn.kind });
    },
    async replaceKey(name: string): Promise<void> {
      change(name, { hostKey: OTHER_KEY, state: "online" });
    },
    async connect(name: string): Promise<void> {
      change(name, { state: "connecting", since: iso() });
      later(pace * 2, () => change(name, { state: "online", since: iso() }));
    },
    async probe(): Promise<void> {},
    async provision(name: string): Promise<void> {
      setUps.provision(name);
    },
    async stopProvision(name: string): Promise<void> {
      setUps.stop(name);
    },
    async undo(name: string): Promise<void> {
      change(name, { plan: planOf("image"), setup: "needed" });
    },
    async client(name: string, action: "restart" | "stop" | "remove"): Promise<void> {
      const { client: ended, ...rest } = known(name).view;
      if (ended === undefined) throw new UserError(`${name} has no client now: it takes part in no study.`);
      known(name).view = rest;
      change(name, action === "restart" ? { client: { ...ended, state: "launching" } } : {});
    },
    watchTelemetry: () => () => {},
    logs({ name, search = "", before = Number.POSITIVE_INFINITY, limit }: Parameters<BoardPorts["logs"]>[0]) {
      const found = (logs.get(name) ?? []).filter(
        ({ id, text }) => id < before && text.toLowerCase().includes(search.toLowerCase()),
      );
      return { lines: found.slice(-limit), more: found.length > limit };
    },
    async remove(name: string): Promise<string | undefined> {
      boards.delete(name);
      return undefined;
    },
    groups: (): readonly VirtualGroup[] => [],
    changed: () => {},
    closed: new AbortController().signal,
  } satisfies BoardPorts;

  const pulse = (): void => {
    const points = [...boards].flatMap(([device, board]) => {
      if (board.view.state !== "online") return [];
      const point = pointOf(board.example, now(), board.seed);
      const history = [...board.view.history.slice(-400), point];
      board.view = { ...board.view, telemetry: point, history };
      return [{ device, point }];
    });
    tell({ kind: "telemetry", points });
    const [first] = boards.keys();
    if (first !== undefined)
      print(first, [
        {
          at: iso(),
          study,
          stream: lines % 9 === 8 ? "stderr" : "stdout",
          text: `{"event":"progress","run":"r1","round":${1 + (Math.floor(now() / 20_000) % 9)},"fraction":${((now() % 20_000) / 20_000).toFixed(2)},"loss":${(1.4 + Math.sin(now() / 9000) / 5).toFixed(3)}}`,
        },
      ]);
    later(pace, pulse);
  };

  return {
    ...ports,
    summaries: (): ReadonlyMap<string, BoardSummary> =>
      new Map([...boards].map(([name, { view }]) => [name, summaryOf(view)])),
    summary: (name: string): BoardSummary | undefined => {
      const board = boards.get(name);
      return board === undefined ? undefined : summaryOf(board.view);
    },
    print,
    /** Telemetry and lines begin to come. */
    start: (): void => pulse(),
    close(): void {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
};

const summaryOf = (view: BoardView): BoardSummary => {
  const { name, target, signIn, hostKey, addedAt, facts, plan, dataFolder, history, ...summary } = view;
  return summary;
};
