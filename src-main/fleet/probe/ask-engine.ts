import { text as readAll } from "node:stream/consumers";
import type { SshConnection } from "#main/fleet/board-ports.ts";

const TIMEOUT_MS = 8000;

/**
 * Asks a board's engine for itself through the SSH connection, where the board has no command line program for it.
 * @returns sections as the probe would have printed them; none where nothing that speaks HTTP answers
 */
export const askEngine = async (connection: SshConnection, socket: string): Promise<string> => {
  const [info, version] = await Promise.all([
    get(connection, socket, "/info"),
    get(connection, socket, "/version"),
  ]);
  const sections: string[] = [];
  if (info !== undefined) sections.push("= docker-info 0", ` ${JSON.stringify(info)}`);
  if (version !== undefined) sections.push("= docker-version 0", ` ${JSON.stringify({ Server: version })}`);
  return sections.length === 0 ? "" : `\n${sections.join("\n")}\n`;
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
