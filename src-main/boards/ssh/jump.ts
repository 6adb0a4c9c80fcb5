import { BoardError } from "#main/boards/board-ports.ts";
import { AttemptError, type OpenedClient } from "./open-client.ts";
import { connectProblem, type Hop, hostText } from "./problems.ts";

/** A channel to `hop` through a host that was signed in to. */
export const channelTo = (through: OpenedClient, hop: Hop): Promise<OpenedClient["socket"]> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error): void =>
      reject(
        new BoardError({
          code: "jump-failed",
          title: `${through.hop.host} cannot connect to ${hop.host}`,
          cause: `${hostText(through.hop)} was reached, but it could not connect to ${hostText(hop)}.`,
          next: "Check that the board is on and reachable from that host, and that its SSH server sets AllowTcpForwarding.",
          raw: error.message,
          actions: [{ do: "retry", label: "Try again" }],
        }),
      );
    const gone = (): void => failed(new Error("the connection ended"));
    through.client.once("close", gone);
    try {
      through.client.forwardOut("127.0.0.1", 0, hop.host, hop.port, (error, channel) => {
        through.client.off("close", gone);
        if (error) return failed(error);
        channel.on("error", () => {});
        resolve(channel);
      });
    } catch (error) {
      failed(error as Error);
    }
  });

/** What went wrong at a host, in words about that host. */
export const explain = (hop: Hop, error: unknown, way: string | undefined, jump: boolean): unknown => {
  if (!(error instanceof AttemptError)) return error;
  const problem = connectProblem(hop, error.attempt, way);
  if (!jump || problem.code === "sign-in-refused") return new BoardError(problem, { cause: error });
  return new BoardError(
    {
      ...problem,
      code: "jump-failed",
      cause: `${hostText(hop)} is on the way to the board. ${problem.cause}`,
    },
    { cause: error },
  );
};
