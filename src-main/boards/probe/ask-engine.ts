import { text as readAll } from "node:stream/consumers";
import type { SshConnection } from "#main/boards/board-ports.ts";

const TIMEOUT_MS = 8000;

/**
 * Asks a board's engine for itself through the SSH connection, where the board has no command line program for it.
 * @returns the section that the probe would have printed; none where nothing that speaks HTTP answers
 */
export const askEngine = async (connection: SshConnection, socket: string): Promise<string> => {
  const info = await get(connection, socket, "/info");
  return info === undefined ? "" : `\n= docker-info 0\n ${JSON.stringify(info)}\n`;
};

/** HTTP/1.0: the engine answers without chunks and closes, so that what came is the whole answer. */
const get = async (connection: SshConnection, socket: string, path: string): Promise<unknown> => {
  const channel = await connection.openSocket(socket).catch(() => undefined);
  if (channel === undefined) return undefined;
  const timer = setTimeout(() => channel.destroy(), TIMEOUT_MS);
  try {
    channel.write(`GET ${path} HTTP/1.0\r\nHost: docker\r\n\r\n`);
    const answer = await readAll(channel);
    const body = answer.indexOf("\r\n\r\n");
    return /^HTTP\/1\.[01] 200 /.test(answer) && body > 0 ? JSON.parse(answer.slice(body + 4)) : undefined;
  } catch {
    // Cut off, too slow or no engine: the facts say that it did not answer.
    return undefined;
  } finally {
    clearTimeout(timer);
    channel.destroy();
  }
};
