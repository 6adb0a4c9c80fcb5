import { BoardError } from "#main/boards/board-ports.ts";
import { itSaid } from "./as-root.ts";
import { markDone, markOf, unmark } from "./marks.ts";
import type { Step } from "./step.ts";

const CONFIG = "/etc/docker/daemon.json";
const KEPT = `${CONFIG}.before-fedfleet`;
const COMMANDS = [
  "command -v nvidia-ctk >/dev/null || { apt-get -o DPkg::Lock::Timeout=300 update; DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y nvidia-container-toolkit; }",
  `mkdir -p /etc/docker; if [ -e ${CONFIG} ] && [ ! -e ${KEPT} ]; then cp -p ${CONFIG} ${KEPT}; fi`,
  "nvidia-ctk runtime configure --runtime=docker",
  "systemctl restart docker",
];
const UNDO = [
  `if [ -e ${KEPT} ]; then mv ${KEPT} ${CONFIG}; else rm -f ${CONFIG}; fi`,
  "systemctl restart docker",
];
const MARK = "nvidia-runtime";

const failed = (raw: string): BoardError =>
  new BoardError({
    code: "gpu-missing",
    title: "The NVIDIA runtime could not be configured",
    cause: itSaid(raw),
    next: "Check that NVIDIA's package sources are set up on the board, then try again.",
    raw,
    actions: [
      { do: "retry", label: "Try again" },
      { do: "show-commands", label: "Show the commands", commands: COMMANDS },
    ],
  });

/** Without it a container starts, and PyTorch silently finds no GPU. */
export const nvidiaRuntime: Step = {
  id: "nvidia-runtime",
  title: "Give containers access to the GPU",
  async look(board) {
    const { docker, recipe } = board.facts();
    const rest = { commands: COMMANDS, needsSudo: true, canUndo: false } as const;
    if (recipe?.gpu !== true) {
      return {
        state: "not-needed",
        text: "The client trains on the processor here.",
        commands: [],
        needsSudo: false,
        canUndo: false,
      };
    }
    if (docker.state !== "ready") return { ...rest, state: "blocked", text: "Docker must be usable first." };
    if (docker.nvidiaRuntime) {
      const ours = (await markOf(await board.connection(), MARK)) !== undefined;
      return { ...rest, state: "done", text: "The engine has NVIDIA's runtime.", canUndo: ours };
    }
    return {
      ...rest,
      state: "open",
      text: "The engine does not know NVIDIA's runtime, so containers would not see the GPU.",
      consent: "Change the engine's configuration and restart it: running containers stop",
    };
  },
  async run({ board, root, connection }) {
    if (board.facts().docker.nvidiaRuntime) return;
    await root.run(COMMANDS, failed);
    await markDone(connection, MARK);
    const { docker } = await board.probe();
    if (!docker.nvidiaRuntime)
      throw failed("The engine was restarted, but still names no runtime called nvidia.");
  },
  async undo({ root, connection }) {
    await root.run(UNDO, failed);
    await unmark(connection, MARK);
  },
};
