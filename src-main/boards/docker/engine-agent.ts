import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { inspect } from "node:util";
import type { SshConnection } from "#main/boards/board-ports.ts";

type Done = (error: Error | null, stream: Duplex) => void;

/** Hands each HTTP request a channel of the board's SSH connection that ends at the engine's socket. */
export class EngineAgent extends Agent {
  readonly #connection: SshConnection;
  readonly #path: string;

  constructor(connection: SshConnection, path: string) {
    super();
    this.#connection = connection;
    this.#path = path;
  }

  override createConnection(_options: unknown, done?: Done): undefined {
    // Node asks for a stream with each error; there is none.
    const fail = (error: unknown): void => done?.(error as Error, undefined as unknown as Duplex);
    try {
      this.#connection.openSocket(this.#path).then((channel) => done?.(null, channel), fail);
    } catch (error) {
      process.nextTick(fail, error);
    }
  }

  /** docker-modem prints its options for each request, and would walk through all of the SSH connection. */
  [inspect.custom](): string {
    return "EngineAgent";
  }
}
