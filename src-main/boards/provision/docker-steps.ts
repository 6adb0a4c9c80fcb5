import type { BoardFacts, BoardProblem } from "#contract/boards.ts";
import { BoardError } from "#main/boards/board-ports.ts";
import { itSaid } from "./as-root.ts";
import { markDone, markOf, unmark } from "./marks.ts";
import type { BoardToSetUp, Found, Step } from "./step.ts";

const stepFailed =
  (title: string, next: string, commands: readonly string[]) =>
  (raw: string): BoardError => {
    const problem: BoardProblem = {
      code: "docker-failed",
      title,
      cause: itSaid(raw),
      next,
      raw,
      actions: [
        { do: "retry", label: "Try again" },
        { do: "show-commands", label: "Show the commands", commands },
      ],
    };
    return new BoardError(problem);
  };

const done = (text: string, commands: readonly string[], canUndo: boolean): Found => ({
  state: "done",
  text,
  commands,
  needsSudo: true,
  canUndo,
});

/** The package manager's own engine: it comes with the system's updates and needs no other source. */
export const installCommands = ({
  os,
  family,
}: Pick<BoardFacts, "os" | "family">): readonly string[] | undefined => {
  const id = os.id.toLowerCase();
  if (["debian", "raspbian", "ubuntu", "linuxmint", "pop"].includes(id)) {
    const wait = "-o DPkg::Lock::Timeout=300";
    const packages = family === "jetson" ? "docker.io nvidia-container-toolkit" : "docker.io";
    return [
      `apt-get ${wait} update`,
      `DEBIAN_FRONTEND=noninteractive apt-get ${wait} install -y --no-install-recommends ${packages} iptables`,
    ];
  }
  if (["fedora", "centos", "rhel", "rocky", "almalinux"].includes(id)) return ["dnf install -y moby-engine"];
  if (id === "alpine") return ["apk add docker", "rc-update add docker default", "rc-service docker start"];
  if (["arch", "manjaro"].includes(id)) return ["pacman -Sy --noconfirm docker"];
  return undefined;
};

const removeCommands = ({ os }: Pick<BoardFacts, "os">): readonly string[] => {
  const id = os.id.toLowerCase();
  if (id === "alpine") return ["apk del docker"];
  if (["fedora", "centos", "rhel", "rocky", "almalinux"].includes(id)) return ["dnf remove -y moby-engine"];
  if (["arch", "manjaro"].includes(id)) return ["pacman -R --noconfirm docker"];
  return ["DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 remove -y docker.io"];
};

const INSTALLED = "docker-install";
const GROUPED = "docker-group";
const STARTED = "docker-start";

const wasOurs = async (board: BoardToSetUp, mark: string): Promise<boolean> =>
  (await markOf(await board.connection(), mark)) !== undefined;

export const dockerInstall: Step = {
  id: "docker-install",
  title: "Install Docker",
  async look(board) {
    const facts = board.facts();
    const { docker } = facts;
    const commands = installCommands(facts);
    if (docker.state !== "missing") {
      const version = docker.version === undefined ? "" : ` ${docker.version}`;
      return done(`Docker${version} is installed.`, commands ?? [], await wasOurs(board, INSTALLED));
    }
    if (commands === undefined) {
      return {
        state: "open",
        text: `Docker is missing, and the lab does not know how to install it on ${facts.os.name}. Install it by hand, then look again.`,
        commands: [],
        needsSudo: true,
        canUndo: false,
      };
    }
    return {
      state: "open",
      text: "The client runs in a container, so that nothing else has to be installed.",
      commands,
      needsSudo: true,
      consent: `Install Docker on ${board.name} with the system's own package manager`,
      canUndo: false,
    };
  },
  async run({ board, root, connection }) {
    const commands = installCommands(board.facts());
    if (commands === undefined) {
      throw new BoardError({
        code: "docker-missing",
        title: "Docker has to be installed by hand",
        cause: `The lab does not know the package manager of ${board.facts().os.name}.`,
        next: "Install Docker as its documentation says, then look again.",
        actions: [{ do: "retry", label: "Look again" }],
      });
    }
    if (board.facts().docker.state !== "missing") return;
    await root.run(
      commands,
      stepFailed("Docker could not be installed", "Read the output, then try again.", commands),
    );
    await markDone(connection, INSTALLED);
  },
  async undo({ board, root, connection }) {
    const commands = removeCommands(board.facts());
    await root.run(
      commands,
      stepFailed("Docker could not be removed", "Read the output, then try again.", commands),
    );
    await unmark(connection, INSTALLED);
  },
};

const START = [
  "if command -v systemctl >/dev/null; then systemctl enable --now docker.socket docker.service; elif command -v rc-service >/dev/null; then rc-service docker start; else service docker start; fi",
];
const STOP = [
  "if command -v systemctl >/dev/null; then systemctl disable --now docker.service docker.socket; elif command -v rc-service >/dev/null; then rc-service docker stop; else service docker stop; fi",
];

export const dockerStart: Step = {
  id: "docker-start",
  title: "Start the Docker Engine",
  async look(board) {
    const { state } = board.facts().docker;
    if (state === "missing")
      return {
        state: "blocked",
        text: "Docker must be installed first.",
        commands: START,
        needsSudo: true,
        canUndo: false,
      };
    if (state !== "stopped") return done("It is running.", START, await wasOurs(board, STARTED));
    return {
      state: "open",
      text: "Docker is installed but not running. It will also start with the board from then on.",
      commands: START,
      needsSudo: true,
      canUndo: false,
    };
  },
  async run({ board, root, connection }) {
    if (board.facts().docker.state !== "stopped") return;
    const hint =
      board.facts().family === "jetson"
        ? "Some Jetsons need the older iptables: sudo update-alternatives --set iptables /usr/sbin/iptables-legacy; then try again."
        : "Read its log on the board, then try again.";
    await root.run(
      START,
      stepFailed("The Docker Engine does not start", hint, [...START, "journalctl -u docker -n 50"]),
    );
    await markDone(connection, STARTED);
  },
  async undo({ root, connection }) {
    await root.run(
      STOP,
      stepFailed("The Docker Engine could not be stopped", "Read the output, then try again.", STOP),
    );
    await unmark(connection, STARTED);
  },
};

const addCommands = (user: string): readonly string[] => ["groupadd -f docker", `usermod -aG docker ${user}`];

export const dockerGroup: Step = {
  id: "docker-group",
  title: "Let this user use Docker",
  async look(board) {
    const { docker, user } = board.facts();
    const commands = addCommands(user);
    if (docker.state === "missing" || docker.state === "stopped")
      return {
        state: "blocked",
        text: "Docker must be running first.",
        commands,
        needsSudo: true,
        canUndo: false,
      };
    if (docker.state === "ready")
      return done(`${user} may use Docker.`, commands, await wasOurs(board, GROUPED));
    return {
      state: "open",
      text: `${user} may not use the engine at ${docker.socket}. The lab signs in again afterwards, since groups apply from the next sign-in.`,
      commands,
      needsSudo: true,
      consent: `Add ${user} to the docker group. Its members can do anything on the board, as root can`,
      canUndo: false,
    };
  },
  async run({ board, root, connection }) {
    const { docker, user } = board.facts();
    if (docker.state !== "denied") return;
    const commands = addCommands(user);
    await root.run(
      commands,
      stepFailed(
        "The user could not be added to the docker group",
        "Read the output, then try again.",
        commands,
      ),
    );
    await markDone(connection, GROUPED);
    await board.reconnect();
    const { docker: now } = await board.probe();
    if (now.state !== "denied") return;
    throw new BoardError({
      code: "docker-denied",
      title: "The user still cannot use Docker",
      cause: `${user} is in the docker group now, but the engine's socket ${now.socket} is not open to that group.`,
      next: "Check which group owns the socket, or restart the board.",
      actions: [{ do: "show-commands", label: "Show how to check", commands: [`ls -l ${now.socket}`, "id"] }],
    });
  },
  async undo({ board, root, connection }) {
    const commands = [`gpasswd -d ${board.facts().user} docker`];
    await root.run(
      commands,
      stepFailed(
        "The user could not be removed from the group",
        "Read the output, then try again.",
        commands,
      ),
    );
    await unmark(connection, GROUPED);
    await board.reconnect();
  },
};
