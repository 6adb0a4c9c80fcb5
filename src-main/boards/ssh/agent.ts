import ssh2, { type BaseAgent } from "ssh2";
import { BoardError } from "#main/boards/board-ports.ts";

const PATIENCE_MS = 2000;

/** The number of keys that the agent holds. Rejects when it does not answer. */
export const countAgentKeys = (agent: BaseAgent | string): Promise<number> =>
  new Promise((resolve, reject) => {
    const opened = typeof agent === "string" ? ssh2.createAgent(agent) : agent;
    const late = setTimeout(() => reject(new Error("it does not answer")), PATIENCE_MS);
    opened.getIdentities((error, keys) => {
      clearTimeout(late);
      if (error) reject(error);
      else resolve(keys?.length ?? 0);
    });
  });

/** @throws BoardError "no-agent" where there is none, it does not answer, or it is empty */
export const openAgent = async (socket: string | undefined): Promise<BaseAgent> => {
  const missing = (cause: string, raw?: string) =>
    new BoardError({
      code: "no-agent",
      title: "No SSH agent with a key",
      cause,
      next: "Start the agent and add a key (ssh-add), or sign in another way.",
      ...(raw === undefined ? {} : { raw }),
      actions: [{ do: "sign-in", label: "Sign in another way" }],
    });
  if (socket === undefined || socket === "") {
    throw missing("SSH_AUTH_SOCK is not set where the lab was started.");
  }
  const agent = ssh2.createAgent(socket);
  let keys: number;
  try {
    keys = await countAgentKeys(agent);
  } catch (error) {
    throw missing(`The agent at ${socket} does not answer.`, (error as Error).message);
  }
  if (keys === 0) throw missing(`The agent at ${socket} holds no key.`);
  return agent;
};
