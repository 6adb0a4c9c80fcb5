import Docker from "dockerode";
import { BoardError, type DockerEngine, type SshConnection } from "#main/boards/board-ports.ts";
import { cancelled } from "#main/boards/ssh/problems.ts";
import { inSh, quote } from "#main/boards/ssh/shell.ts";
import { spaceAt } from "./disk.ts";
import { EngineAgent } from "./engine-agent.ts";
import {
  diskFull,
  dockerDenied,
  dockerFailed,
  dockerMissing,
  dockerStopped,
  imageMissing,
  isDiskFull,
} from "./engine-problems.ts";

/** A broken connection may be reported a moment later than its streams. */
const NEWS_MS = 300;

/** dockerode reads our own process's DOCKER_HOST and its certificates; the board's engine is another one. */
const createDocker = (agent: EngineAgent): Docker => {
  const { DOCKER_HOST: ours } = process.env;
  delete process.env.DOCKER_HOST;
  try {
    // Its types leave `agent` out.
    const options = { agent, protocol: "http", host: "board", port: 80 } as const;
    return new Docker(options as Docker.DockerOptions);
  } finally {
    if (ours !== undefined) process.env.DOCKER_HOST = ours;
  }
};

/**
 * Why a socket cannot be used: SSH gives the same answer for all reasons. Docker's own program is asked last,
 * since it is not always there; the kernel's table of sockets is the other witness.
 */
const WHY = (socket: string): string =>
  inSh(`s=${quote(socket)}
have() { for f in /usr/bin/dockerd /usr/sbin/dockerd /usr/local/bin/dockerd /snap/bin/docker "$HOME/bin/dockerd"; do [ ! -x "$f" ] || return 0; done; command -v dockerd >/dev/null 2>&1; }
if [ ! -S "$s" ]; then if have; then echo stopped; else echo missing; fi; exit 0; fi
if [ ! -w "$s" ]; then echo denied; exit 0; fi
d=/usr/bin/docker; [ -x "$d" ] || d=$(command -v docker)
if [ -n "$d" ]; then
  t=; ! command -v timeout >/dev/null 2>&1 || t="timeout 8"
  if w=$($t "$d" -H "unix://$s" version --format '{{.Server.Version}}' 2>&1); then echo listening
  else case $w in *"ermission denied"*) echo denied;; *) echo stopped; printf '%s\\n' "$w";; esac; fi
else
  r=$(readlink -f "$s" || echo "$s")
  awk -v p="$r" '$4 == "00010000" && $8 == p { f = 1 } END { exit !f }' /proc/net/unix && echo listening || echo stopped
fi`);

const textOf = (error: unknown): string => {
  const { json, message } = error as { json?: { message?: unknown } | null; message?: unknown };
  if (typeof json?.message === "string") return json.message;
  return typeof message === "string" ? message : String(error);
};

/** Of an HTTP connection, as opposed to a mistake in our own code. */
const isBroken = (error: unknown): boolean => {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === "string" && /^(E[A-Z]+|ERR_STREAM|ERR_HTTP|HPE_)/.test(code)) return true;
  return typeof message === "string" && /socket hang up|Not connected|aborted|EOF/i.test(message);
};

/** The board's engine, spoken to through its SSH connection. */
export const createEngine = (connection: SshConnection, socketPath: string): DockerEngine => {
  const docker = createDocker(new EngineAgent(connection, socketPath));
  const waiting = new Set<() => void>();
  void connection.closed.then(() => {
    for (const tell of [...waiting]) tell();
  });

  const lost = (cause?: unknown): BoardError => {
    const { lost: known } = connection as { readonly lost?: BoardError["problem"] };
    return new BoardError(
      known ?? {
        code: "connection-lost",
        title: "The connection to the board was lost",
        cause: "It broke while the board's engine was being asked.",
        next: "The lab reconnects by itself. Then try again.",
        actions: [{ do: "retry", label: "Try again" }],
      },
      { cause },
    );
  };

  const spaceOfEngine = async () => {
    // An engine with a full disk may be slow to answer: its default folder will do.
    const info = (await Promise.race([
      docker.info().catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 3000).unref()),
    ])) as { DockerRootDir?: string } | undefined;
    return spaceAt(connection, info?.DockerRootDir ?? "/var/lib/docker");
  };

  const whyNot = async (error: unknown): Promise<BoardError> => {
    const why = await connection.run(WHY(socketPath), { timeoutMs: 20_000 }).catch(() => undefined);
    if (connection.isClosed) return lost(error);
    const [word, ...said] = why?.stdout.trim().split("\n") ?? [];
    if (word === "missing") return new BoardError(dockerMissing(socketPath), { cause: error });
    if (word === "denied") return new BoardError(dockerDenied(socketPath), { cause: error });
    if (word === "stopped")
      return new BoardError(dockerStopped(socketPath, said.join("\n")), { cause: error });
    // It answers: then the SSH server is in the way, unless the engine was just starting.
    if (error instanceof BoardError) {
      const answers = await docker.ping().then(
        () => true,
        () => false,
      );
      return answers ? new BoardError(dockerStopped(socketPath, textOf(error)), { cause: error }) : error;
    }
    return new BoardError(dockerFailed(textOf(error), "The Docker Engine ended the connection"), {
      cause: error,
    });
  };

  const explain = async (error: unknown): Promise<unknown> => {
    if (error instanceof BoardError && error.problem.code !== "forwarding-refused") return error;
    if (!(error instanceof Error)) return error;
    if (error.name === "AbortError") return cancelled(error);
    const { statusCode } = error as { statusCode?: unknown };
    const said = textOf(error);
    if (isDiskFull(said)) {
      return new BoardError(diskFull(await spaceOfEngine(), undefined, said), { cause: error });
    }
    if (typeof statusCode === "number") {
      const problem = /no such image/i.test(said) ? imageMissing(said) : dockerFailed(said);
      return new BoardError(problem, { cause: error });
    }
    if (!(error instanceof BoardError) && !isBroken(error)) return error;
    if (!connection.isClosed) {
      await Promise.race([connection.closed, new Promise((resolve) => setTimeout(resolve, NEWS_MS).unref())]);
    }
    return connection.isClosed ? lost(error) : await whyNot(error);
  };

  return {
    docker,
    async ask(call) {
      if (connection.isClosed) throw lost();
      let stop = (): void => {};
      const gone = new Promise<never>((_, reject) => {
        stop = () => reject(lost());
      });
      waiting.add(stop);
      try {
        return await Promise.race([call(docker), gone]);
      } catch (error) {
        throw await explain(error);
      } finally {
        waiting.delete(stop);
      }
    },
  };
};
