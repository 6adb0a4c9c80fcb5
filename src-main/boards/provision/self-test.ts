import { randomBytes } from "node:crypto";
import type { BoardFacts, BoardProblem } from "#contract/boards.ts";
import { BoardError, type DockerEngine, LABELS } from "#main/boards/board-ports.ts";
import { findImage } from "#main/boards/docker/client-image.ts";
import { createEngine } from "#main/boards/docker/engine.ts";
import { createLogReader } from "#main/boards/launch/container-log.ts";
import type { ClientImage } from "./image.ts";
import { markDone, markOf, unmark } from "./marks.ts";
import type { Step } from "./step.ts";

const TIMEOUT_MS = 5 * 60_000;
const LAST_LINES = 30;

/** Marks that the image was tested on this board. */
const markName = (imageId: string): string => `self-test-${imageId.replace("sha256:", "").slice(0, 16)}`;

/** "PyTorch 1.13.1 trains on the processor." from what the client reported. */
const verdict = (told: string): string => {
  try {
    const { torch, gpu, threads } = JSON.parse(told) as {
      torch?: string;
      gpu?: string | null;
      threads?: number;
    };
    const where = gpu
      ? `on ${gpu}`
      : `on the processor${threads === undefined ? "" : ` (${threads} threads)`}`;
    return `PyTorch ${torch ?? ""} trains ${where}.`.replace("  ", " ");
  } catch {
    return "PyTorch trains there.";
  }
};

const problemOf = (exitCode: number, gpu: boolean, lines: readonly string[]): BoardProblem => {
  const raw = lines.join("\n");
  const retry = { do: "retry", label: "Try again" } as const;
  const build = { do: "step", step: "image", label: "Build the image again" } as const;
  if (exitCode === 132) {
    return {
      code: "cpu-unsuited",
      title: "This PyTorch does not run on this processor",
      cause: "It was built for newer processors and ended with an illegal instruction.",
      next: "Build the image from another base, with a PyTorch for this processor.",
      raw,
      actions: [build],
    };
  }
  if (exitCode === 15 || (gpu && /cuda|nvidia|csv/i.test(raw))) {
    return {
      code: "gpu-missing",
      title: "The GPU is not visible in the container",
      cause:
        "PyTorch found none: NVIDIA's runtime is not set up, or the image does not fit the board's L4T release.",
      next: "Configure the NVIDIA runtime, or build the image again.",
      raw,
      actions: [{ do: "step", step: "nvidia-runtime", label: "Configure the runtime" }, build],
    };
  }
  if (exitCode === 137) {
    return {
      code: "out-of-memory",
      title: "The board has too little memory",
      cause: "The system killed the PyTorch test.",
      next: "Close other programs on the board, or add swap; then try again.",
      raw,
      actions: [retry],
    };
  }
  return {
    code: "client-exited",
    title: "The client image does not work here",
    cause: `The PyTorch test ended with exit code ${exitCode}.`,
    next: "Read its output. Building the image again may help.",
    raw,
    actions: [retry, build],
  };
};

const runOnce = async (
  engine: DockerEngine,
  facts: BoardFacts,
  name: string,
  tag: string,
  labId: string,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number; readonly lines: readonly string[] }> => {
  const gpu = facts.recipe?.gpu === true;
  const container = await engine.ask((docker) =>
    docker.createContainer({
      name: `fedfleet-${name}-trial-${randomBytes(3).toString("hex")}`,
      Image: tag,
      Cmd: ["--self-test", "--device", gpu ? "cuda" : "cpu"],
      User: `${facts.uid}`,
      Env: [
        "HOME=/tmp",
        ...(gpu ? ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"] : []),
      ],
      Labels: { [LABELS.lab]: labId, [LABELS.device]: name, [LABELS.study]: "self-test" },
      HostConfig: {
        NetworkMode: "none",
        ReadonlyRootfs: true,
        Tmpfs: { "/tmp": "rw,nosuid,nodev,size=512m" },
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        ...(gpu ? { Runtime: "nvidia" } : {}),
      },
    }),
  );
  const stop = (): void => {
    engine.ask((docker) => docker.getContainer(container.id).kill()).catch(() => {});
  };
  signal.addEventListener("abort", stop, { once: true });
  const late = setTimeout(stop, TIMEOUT_MS);
  try {
    await engine.ask(() => container.start());
    const { StatusCode: exitCode } = (await engine.ask(() => container.wait())) as { StatusCode: number };
    const printed = await engine.ask(() => container.logs({ stdout: true, stderr: true, timestamps: true }));
    const lines: string[] = [];
    const reader = createLogReader((_, text) => lines.push(text), undefined);
    reader.push(printed as unknown as Buffer);
    reader.end();
    return { exitCode, lines: lines.slice(-LAST_LINES) };
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", stop);
    await engine.ask(() => container.remove({ force: true })).catch(() => {});
  }
};

export const selfTestStep = (
  imageOf: (facts: BoardFacts) => ClientImage | undefined,
  labId: string,
): Step => ({
  id: "self-test",
  title: "Try PyTorch on the board",
  async look(board) {
    const facts = board.facts();
    const image = imageOf(facts);
    const device = facts.recipe?.gpu === true ? "cuda" : "cpu";
    const rest = {
      commands: [`docker run --rm --network none ${image?.tag ?? "IMAGE"} --self-test --device ${device}`],
      needsSudo: false,
      canUndo: false,
    };
    const blocked = { ...rest, state: "blocked", text: "The client image must be there first." } as const;
    if (image === undefined || facts.docker.state !== "ready") return blocked;
    const connection = await board.connection();
    const found = await findImage(createEngine(connection, facts.docker.socket), image.tag);
    if (found === undefined || found.arch !== facts.arch) return blocked;
    const told = await markOf(connection, markName(found.id));
    return told === undefined
      ? {
          ...rest,
          state: "open",
          text: "One training step, as in a study, shows whether this PyTorch works on this board.",
        }
      : { ...rest, state: "done", text: verdict(told) };
  },
  async run({ board, connection, engine, signal, say }) {
    const facts = board.facts();
    const image = imageOf(facts);
    const found = image && (await findImage(engine(), image.tag));
    if (image === undefined || found === undefined) {
      throw new BoardError({
        code: "image-missing",
        title: "The client image is not on the board",
        cause: "It was not built yet, or somebody removed it.",
        next: "Build the image first.",
        actions: [{ do: "step", step: "image", label: "Build the image" }],
      });
    }
    await unmark(connection, markName(found.id));
    const { exitCode, lines } = await runOnce(engine(), facts, board.name, image.tag, labId, signal);
    signal.throwIfAborted();
    say(...lines);
    if (exitCode !== 0) throw new BoardError(problemOf(exitCode, facts.recipe?.gpu === true, lines));
    const told = lines.find((line) => line.includes('"self-test"')) ?? "{}";
    await markDone(connection, markName(found.id), told);
  },
});
