import type { BoardFacts } from "#contract/boards.ts";
import { BoardError, type SshConnection } from "#main/boards/board-ports.ts";
import { askEngine } from "./ask-engine.ts";
import { parseProbe } from "./parse-probe.ts";
import { PROBE_SCRIPT } from "./probe-script.ts";
import { readSections } from "./sections.ts";

/** A Raspberry Pi 3 with a busy card answers in 4 s; each slow question gives up after 8. */
const TIMEOUT_MS = 60_000;

/**
 * Probes a board: one command over its SSH connection, without root, leaving nothing there.
 * @throws BoardError "unsupported-board" where no POSIX shell answers; and what `connection.run` throws
 */
export const probeBoard = async (
  connection: SshConnection,
  options: { readonly now?: () => number; readonly signal?: AbortSignal } = {},
): Promise<BoardFacts> => {
  const now = options.now ?? Date.now;
  const sentAtMs = now();
  const ran = await connection.run("sh -s", {
    stdin: PROBE_SCRIPT,
    timeoutMs: TIMEOUT_MS,
    ...(options.signal && { signal: options.signal }),
  });
  const receivedAtMs = now();
  const times = { at: new Date(receivedAtMs).toISOString(), sentAtMs, receivedAtMs };
  const sections = readSections(ran.stdout);
  if (sections === undefined) throw noShell(ran.stdout, ran.stderr, ran.code);
  // Docker's command line program is a package of its own: without it, the engine is asked directly.
  const socket = sections.first("socket");
  const isReachable = sections.lines("sockets").includes(`${socket} rw`);
  if (sections.first("docker-cli") !== "" || !isReachable) return parseProbe(ran.stdout, times);
  return parseProbe(ran.stdout + (await askEngine(connection, socket)), times);
};

const noShell = (stdout: string, stderr: string, code: number | null): BoardError => {
  const raw = [stdout, stderr].join("\n").trim().slice(0, 2000);
  return new BoardError({
    code: "unsupported-board",
    title: "The board runs no shell commands",
    cause: `Signing in worked, but the user cannot run a POSIX shell (exit status ${code ?? "unknown"}).`,
    next: "Use an account of a Linux system whose login shell can run commands: not nologin, a menu, Windows or a switch.",
    ...(raw !== "" && { raw }),
    actions: [{ do: "edit-target", label: "Change the user" }],
  });
};
