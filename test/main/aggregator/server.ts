import { afterEach } from "vitest";
import type { LabEventBody } from "#contract/events.ts";
import type { Admission } from "#main/aggregator/admission.ts";
import { type Aggregator, createAggregator, type Session } from "#main/aggregator/aggregator.ts";
import { joinRaw, type RawClient, until } from "./raw-client.ts";

export interface TestServer {
  readonly aggregator: Aggregator;
  readonly port: number;
  readonly events: LabEventBody[];
  /** Joins and waits until the server knows. */
  join(options?: Parameters<typeof joinRaw>[1]): Promise<{ client: RawClient; session: Session }>;
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** A server on a free loopback port that is closed after the test, and so are the clients that joined by it. */
export const startServer = async (
  options: { admission?: Admission; maxMessageBytes?: number; uploadSlots?: number } = {},
): Promise<TestServer> => {
  const events: LabEventBody[] = [];
  const clients: RawClient[] = [];
  const aggregator = createAggregator({
    emit: (e) => void events.push(e),
    admission: options.admission ?? { kind: "open" },
    ...(options.maxMessageBytes === undefined ? {} : { maxMessageBytes: options.maxMessageBytes }),
    ...(options.uploadSlots === undefined ? {} : { uploadSlots: options.uploadSlots }),
  });
  const { port } = await aggregator.listen({ host: "127.0.0.1", port: 0 });
  open.push(async () => {
    for (const client of clients) client.close();
    await aggregator.close({ deadlineMs: 200 });
  });
  return {
    aggregator,
    port,
    events,
    join: async (joinOptions) => {
      const before = new Set(aggregator.sessions());
      const client = joinRaw(port, joinOptions);
      clients.push(client);
      const fresh = (): Session | undefined => aggregator.sessions().find((s) => !before.has(s));
      await until("the client joined", () => fresh() !== undefined);
      return { client, session: fresh()! };
    },
  };
};

export const leftReasons = (server: TestServer): string[] =>
  server.events.flatMap((e) => (e.kind === "device-left" ? [`${e.device}: ${e.reason}`] : []));
