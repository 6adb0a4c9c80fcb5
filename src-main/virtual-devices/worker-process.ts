import type { Child, ForkChild } from "#contract/child.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import {
  type FleetTask,
  type FromWorker,
  SIMULATED_CRASH_CODE,
  type ToWorker,
  type VirtualDevice,
} from "./worker-messages.ts";

/** Lines of a worker's own output that are kept for the diagnosis. */
const KEPT_LINES = 50;
const KEPT_LINE_LENGTH = 2000;
const FIRST_RESTART_MS = 200;
const LAST_RESTART_MS = 5000;
/** Deaths in a row, without an answer between them, after which a worker is no longer restarted. */
const FRUITLESS_DEATHS = 5;
const KILL_AFTER_MS = 3000;

export interface WorkerDeath {
  readonly simulated: boolean;
  /** One sentence without the worker's number: how it ended, and the likely reason. */
  readonly cause: string;
  /** The last lines of its output. */
  readonly output: readonly string[];
  /** Undefined when it is not restarted any more. */
  readonly restartInMs: number | undefined;
}

export interface WorkerListener {
  onHosting(engine: EngineInfo): void;
  onProgress(progress: Extract<FromWorker, { kind: "progress" }>): void;
  onFaultAhead(device: string, fault: "drop" | "crash"): void;
  onDeath(death: WorkerDeath): void;
  /** The worker cannot do its work until a person fixes the cause; it is not restarted. */
  onRefused(message: string): void;
}

export interface WorkerProcess {
  readonly devices: readonly VirtualDevice[];
  readonly pid: number | undefined;
  readonly output: readonly string[];
  /** Asks the process to end, and kills it when it has not after a deadline. */
  stop(): Promise<void>;
}

/** Starts a worker process, hands it its devices, and restarts it when it dies. */
export const superviseWorker = (
  options: {
    readonly fork: ForkChild;
    readonly entry: URL;
    readonly threads: number;
    readonly task: FleetTask;
    readonly devices: readonly VirtualDevice[];
  },
  listener: WorkerListener,
): WorkerProcess => {
  let child: Child | undefined;
  let output: string[] = [];
  let fruitlessDeaths = 0;
  let refused = false;
  let stopping = false;
  let restart: NodeJS.Timeout | undefined;

  const onMessage = (message: FromWorker) => {
    switch (message.kind) {
      case "hosting":
        return listener.onHosting(message.engine);
      case "progress":
        return listener.onProgress(message);
      case "fault-ahead":
        return listener.onFaultAhead(message.device, message.fault);
      case "answered":
        fruitlessDeaths = 0;
        return;
      case "refused":
        refused = true;
        listener.onRefused(message.message);
        child?.kill();
    }
  };

  const start = () => {
    output = [];
    const lines = output;
    const worker = options.fork(options.entry, { name: "fedfleet devices" });
    child = worker;
    worker.onOutput(collectLines(lines));
    worker.onMessage((message) => onMessage(message as FromWorker));
    let ended = false;
    const onEnd = (cause: string, simulated: boolean) => {
      if (ended) return;
      ended = true;
      if (stopping || refused) return;
      if (!simulated) fruitlessDeaths += 1;
      const givenUp = fruitlessDeaths >= FRUITLESS_DEATHS;
      const restartInMs = givenUp ? undefined : restartDelay(fruitlessDeaths);
      if (restartInMs !== undefined) restart = setTimeout(start, restartInMs);
      listener.onDeath({ simulated, cause, output: [...lines], restartInMs });
    };
    worker.onError((error) => {
      child = undefined;
      onEnd(`it could not be started: ${error.message}`, false);
    });
    worker.onExit((code, signal) => {
      child = undefined;
      onEnd(describeEnd(code, signal, lines), code === SIMULATED_CRASH_CODE);
    });
    const order: ToWorker = {
      kind: "host",
      task: options.task,
      devices: options.devices,
      threads: options.threads,
    };
    worker.send(order);
  };
  start();

  return {
    devices: options.devices,
    get pid() {
      return child?.pid;
    },
    get output() {
      return output;
    },
    async stop() {
      stopping = true;
      clearTimeout(restart);
      const worker = child;
      if (worker === undefined || worker.ended) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => worker.kill(), KILL_AFTER_MS);
        const over = () => {
          clearTimeout(timer);
          resolve();
        };
        worker.onExit(over);
        worker.onError(over);
        worker.send({ kind: "stop" } satisfies ToWorker);
      });
    },
  };
};

/** 0.2 s after a simulated or a first death, then twice as long each time, 5 s at most. */
const restartDelay = (fruitlessDeaths: number): number =>
  Math.min(LAST_RESTART_MS, FIRST_RESTART_MS * 2 ** Math.max(0, fruitlessDeaths - 1));

const describeEnd = (code: number | null, signal: string | null, output: readonly string[]): string => {
  if (code === SIMULATED_CRASH_CODE) return "its worker process crashed (simulated)";
  if (output.some((line) => /heap out of memory|reached heap limit/i.test(line))) {
    return "its worker process ran out of memory: use fewer workers, a smaller model or smaller batches";
  }
  if (signal === "SIGKILL") {
    return "its worker process was killed (SIGKILL), most likely by the system because memory ran out: use fewer workers, a smaller model or smaller batches";
  }
  const last = output.findLast((line) => /\b\w*Error\b|fatal/i.test(line)) ?? output.at(-1);
  const said = last === undefined ? "" : `: ${last.trim()}`;
  return signal === null
    ? `its worker process ended with exit code ${code}${said}`
    : `its worker process was ended by ${signal}${said}`;
};

const collectLines = (lines: string[]) => {
  let rest = "";
  return (text: string): void => {
    const parts = (rest + text).split("\n");
    rest = (parts.pop() ?? "").slice(0, KEPT_LINE_LENGTH);
    lines.push(...parts.map((part) => part.slice(0, KEPT_LINE_LENGTH)));
    if (lines.length > KEPT_LINES) lines.splice(0, lines.length - KEPT_LINES);
  };
};
