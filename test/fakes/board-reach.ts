import type { BoardProblem, Reached } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { KEY, OTHER_KEY, problem } from "./board-examples.ts";

export class FakeBoardError extends UserError {
  readonly problem: BoardProblem;
  constructor(what: BoardProblem) {
    super(`${what.title}. ${what.cause} ${what.next}`);
    this.problem = what;
  }
}

/** Hosts answer as they are called: refused…, changed…, behind… a host called gate, known…; all others are new. */
export const createFakeReach = ({
  trusted,
  pace,
}: {
  readonly trusted: ReadonlySet<string>;
  readonly pace: number;
}) => {
  const reach = async (target: { host: string; port?: number | undefined; user?: string | undefined }) => {
    await new Promise((resolve) => setTimeout(resolve, pace / 2));
    const { host, port = 22 } = target;
    if (host.startsWith("refused"))
      throw new FakeBoardError(
        problem(
          "refused",
          `Nothing answers on port ${port}`,
          `${host} is there, but SSH is off on it, or uses another port.`,
          "Turn SSH on, or change the port.",
          {
            raw: `connect ECONNREFUSED ${host}:${port}`,
            actions: [
              { do: "retry", label: "Try again" },
              { do: "edit-target", label: "Change the address" },
              {
                do: "show-commands",
                commands: ["sudo systemctl enable --now ssh"],
                label: "Show how to turn SSH on",
              },
            ],
          },
        ),
      );
    const jump = host.startsWith("behind") && !trusted.has("gate");
    const at = jump ? "gate" : host;
    const changed = host.startsWith("changed");
    return {
      trust: changed ? "changed" : trusted.has(at) || host.startsWith("known") ? "known" : "new",
      host: at,
      port,
      isJump: jump,
      key: changed ? OTHER_KEY : { ...KEY, fingerprint: `${KEY.fingerprint.slice(0, -2)}${at.length}` },
      ...(changed ? { known: [KEY] } : {}),
      user: target.user ?? "lab",
      ways: { agent: true, keys: ["~/.ssh/id_ed25519"], labKey: false },
    } satisfies Reached;
  };
  return reach;
};
