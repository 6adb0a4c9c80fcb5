import type { BoardAction, BoardProblem } from "#contract/boards.ts";
import { LABELS } from "#main/boards/board-ports.ts";
import { lastErrorOf } from "./client-words.ts";

/** How a client's container ended. */
export interface ClientEnd {
  /**
   * "exited": by itself or by a signal · "removed": somebody removed the container · "engine-stopped": the engine
   * stopped and its containers with it · "connection-lost": unknown
   */
  readonly how: "exited" | "removed" | "engine-stopped" | "connection-lost";
  readonly exitCode?: number;
  /** The engine, or the board's kernel, ended something because memory had run out. */
  readonly oomKilled: boolean;
  /** The last 50 that it printed, oldest first. */
  readonly lastLines: readonly string[];
}

export interface DiagnoseContext {
  readonly device: string;
  readonly batchSize: number;
  readonly memoryBytes?: number;
  /** Devices that could continue without this one. */
  readonly others?: number;
}

type Found = Pick<BoardProblem, "code" | "title" | "cause" | "next"> & {
  readonly actions?: readonly BoardAction[];
};

const RESTART = { do: "restart-client", label: "Restart" } as const;
/** Board, sentence and button speak of the same number. */
const lowerBatch = (batchSize: number): BoardAction[] =>
  batchSize < 2
    ? []
    : [
        {
          do: "lower-batch-size",
          batchSize: Math.floor(batchSize / 2),
          label: `Lower the batch size to ${Math.floor(batchSize / 2)}`,
        },
      ];
const show = (label: string, ...commands: string[]): BoardAction => ({
  do: "show-commands",
  commands,
  label,
});
const look = (device: string): BoardAction =>
  show(
    "Show how to check on the board",
    `docker ps -a --filter label=${LABELS.device}=${device}`,
    `docker logs --tail 50 $(docker ps -aq --latest --filter label=${LABELS.device}=${device})`,
  );

const memoryText = (bytes: number | undefined): string =>
  bytes === undefined ? "" : ` (it has ${(bytes / 1e9).toFixed(1)} GB)`;

const outOfMemory = ({ device, batchSize, memoryBytes }: DiagnoseContext): Found => ({
  code: "out-of-memory",
  title: "The board ran out of memory",
  cause: `Training at batch size ${batchSize} needed more memory than ${device} has free${memoryText(memoryBytes)}, so its system killed the client.`,
  next: "Lower the batch size, use a smaller model, or close other programs on the board.",
  actions: [
    ...lowerBatch(batchSize),
    RESTART,
    show("Show what uses memory", "free -m", "ps aux --sort -rss | head"),
  ],
});

const byExitCode = (code: number, context: DiagnoseContext, said: ReturnType<typeof lastErrorOf>): Found => {
  const { device, batchSize } = context;
  switch (code) {
    case 0:
      return {
        code: "client-exited",
        title: "The client left the study",
        cause: "It was dismissed, or had nothing more to do, although the study still needs it.",
        next: "The lab starts it again.",
        actions: [RESTART],
      };
    case 2:
      return {
        code: "bad-configuration",
        title: "The client rejects its configuration",
        cause: said?.message ?? "It does not accept an argument or a value of the study.",
        next: said?.next ?? "Correct the study. An image from an older lab must be built again.",
        actions: [{ do: "step", step: "image", label: "Build the image again" }, RESTART],
      };
    case 10:
      return {
        code: "data-missing",
        title: "The client cannot find its data",
        cause: said?.message ?? "A file of its part of the data set is not on the board.",
        next:
          said?.next ??
          "Restart: the lab sends what is missing. A data folder on the board must be filled there.",
        actions: [RESTART, show("Show what is there", "ls -l ~/.fedfleet/data ~/.fedfleet/parts")],
      };
    case 11:
      return {
        code: "data-damaged",
        title: "The client's data are damaged",
        cause: said?.message ?? "A file of its part of the data set has the wrong content.",
        next:
          said?.next ??
          "Restart: the lab checks it and sends it again. If this happens twice, the memory card may be failing.",
        actions: [RESTART],
      };
    case 12:
      return {
        code: "server-lost",
        title: "The client lost the server",
        cause: said?.message ?? "Its tunnel through the SSH connection to the lab closed.",
        next: "The lab starts it again as soon as the board is connected.",
        actions: [RESTART],
      };
    case 13:
      return {
        code: "cuda-out-of-memory",
        title: "The GPU ran out of memory",
        cause:
          said?.message ?? `Training at batch size ${batchSize} needs more memory than the GPU has free.`,
        next: "Lower the batch size, or use a smaller model. A Jetson's GPU shares the board's memory: closing its desktop helps.",
        actions: [
          ...lowerBatch(batchSize),
          RESTART,
          show("Show how to close the desktop", "sudo systemctl isolate multi-user.target"),
        ],
      };
    case 14:
      return { ...outOfMemory(context), ...(said === undefined ? {} : { cause: said.message }) };
    case 15:
      return {
        code: "gpu-missing",
        title: "The GPU is not visible in the container",
        cause: said?.message ?? "The engine gave the client no GPU.",
        next: "Configure the NVIDIA runtime of the board's engine.",
        actions: [{ do: "step", step: "nvidia-runtime", label: "Configure the runtime" }, RESTART],
      };
    case 125:
    case 126:
    case 127:
      return {
        code: "client-exited",
        title: "The container did not start",
        cause:
          code === 127
            ? "The image does not contain the program that it should run."
            : "The board's engine could not run the image's program.",
        next: "Build the image again.",
        actions: [{ do: "step", step: "image", label: "Build the image again" }, RESTART, look(device)],
      };
    case 132:
      return {
        code: "cpu-unsuited",
        title: "This build of PyTorch does not suit the board's processor",
        cause: "It used an instruction that the processor does not have.",
        next: "Build the image again with the version for this board.",
        actions: [{ do: "step", step: "image", label: "Build the image again" }],
      };
    case 137:
      return {
        code: "client-killed",
        title: "The client was killed",
        cause: "Somebody, or the board's system, killed its container (docker kill, for example).",
        next: "The lab starts it again. If nobody killed it on purpose, memory may be short: lower the batch size.",
        actions: [RESTART, ...lowerBatch(batchSize), look(device)],
      };
    case 130:
    case 143:
      return {
        code: "client-killed",
        title: "The client was stopped on the board",
        cause: "Its container was asked to end (docker stop, or a shutdown of the board).",
        next: "The lab starts it again.",
        actions: [RESTART, look(device)],
      };
    default:
      return {
        code: "client-exited",
        title: `The client ended with exit code ${code}`,
        cause: said?.message ?? "It ran into an unexpected error.",
        next: said?.next ?? "Read its last lines. The lab starts it again.",
        actions: [RESTART, look(device)],
      };
  }
};

const found = (end: ClientEnd, context: DiagnoseContext): Found => {
  if (end.how === "engine-stopped") {
    return {
      code: "docker-stopped",
      title: "The board's Docker Engine stopped",
      cause: "It was stopped or restarted, and the client's container with it.",
      next: "The lab starts the client again as soon as the engine answers.",
      actions: [
        RESTART,
        { do: "step", step: "docker-start", label: "Start Docker" },
        show("Show how to check", "systemctl status docker", "journalctl -u docker -n 50"),
      ],
    };
  }
  if (end.how === "connection-lost") {
    return {
      code: "connection-lost",
      title: "The connection to the board broke",
      cause: "What its client is doing is unknown.",
      next: "The lab starts it again as soon as the board is back.",
    };
  }
  if (end.how === "removed") {
    return {
      code: "client-killed",
      title: "The client's container was removed",
      cause: `Somebody removed it on ${context.device} (docker rm, or docker system prune).`,
      next: "The lab starts it again.",
      actions: [RESTART],
    };
  }
  if (end.oomKilled) return outOfMemory(context);
  return byExitCode(end.exitCode ?? 1, context, lastErrorOf(end.lastLines));
};

/** A traceback's last line says most; the client's own events say less than its words. */
const lastWords = (lines: readonly string[]): string | undefined =>
  lines.findLast((line) => line.trim() !== "" && !line.startsWith("{")) ?? lines.at(-1);

/** Why a client ended, and what a person can do about it. */
export const diagnose = (end: ClientEnd, context: DiagnoseContext): BoardProblem => {
  const { actions = [], ...rest } = found(end, context);
  const { others = 0 } = context;
  const without: BoardAction[] = others > 0 ? [{ do: "start-without", label: `Start with ${others}` }] : [];
  const raw = end.how === "connection-lost" ? undefined : lastWords(end.lastLines);
  const all = [...actions, ...without];
  return {
    ...rest,
    ...(raw === undefined ? {} : { raw }),
    ...(all.length === 0 ? {} : { actions: all }),
  };
};

/** What does not solve itself: trying again would end the same way. */
export const isFinal = ({ code }: BoardProblem): boolean =>
  ["bad-configuration", "cpu-unsuited", "image-missing", "wrong-architecture", "unsupported-board"].includes(
    code,
  );
