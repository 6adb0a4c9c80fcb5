import { readFileSync } from "node:fs";
import { UserError } from "#contract/failure.ts";
import { CREWS, rosterOf } from "#contract/fleet.ts";
import type { Study } from "#contract/study.ts";
import type { Aggregator } from "#main/aggregator/aggregator.ts";
import type { ListenOptions } from "#main/hosts/cli/listen-options.ts";
import type { BringUp } from "./crew.ts";

/** Where foreign clients are expected when nobody says otherwise: Flower's own default port. */
export const DEFAULT_LISTEN: ListenOptions = {
  host: "127.0.0.1",
  port: 8080,
  insecure: false,
  joinToken: undefined,
  allow: [],
  tlsCert: undefined,
  tlsKey: undefined,
};

/** Listens for Flower clients that somebody else starts: where the study wants some, or a person said where. */
export const bringUpExternal: BringUp = async ({ study, aggregator, options, say }) => {
  const wanted = CREWS.external.count(study.fleet);
  if (wanted === 0 && options.listen === undefined) return undefined;
  const at = await listenForForeign(
    aggregator,
    options.listen ?? DEFAULT_LISTEN,
    options.listen !== undefined,
  );
  const host = at.host.includes(":") ? `[${at.host}]` : at.host;
  const stopTelling = tellWhoIsTooMany(aggregator, study, say);
  say(`listening on ${host}:${at.port} for Flower clients (${wanted} wanted)`);
  return {
    async stop() {
      stopTelling();
    },
  };
};

/** Who may join without a ticket or a channel of its own: nobody, unless the study wants foreign clients. */
export const admissionOf = (study: Study, listen: ListenOptions | undefined) => {
  if (CREWS.external.count(study.fleet) === 0 && listen === undefined) {
    return { kind: "allow", addresses: [] as string[] } as const;
  }
  const { joinToken, allow } = listen ?? DEFAULT_LISTEN;
  if (joinToken !== undefined) return { kind: "token", token: joinToken } as const;
  if (allow.length > 0) return { kind: "allow", addresses: allow } as const;
  return { kind: "open" } as const;
};

/** A client that joins beyond those that the study has room for waits for ever: both sides should know. */
const tellWhoIsTooMany = (
  aggregator: Aggregator,
  study: Study,
  say: (message: string) => void,
): (() => void) => {
  const room = CREWS.external.count(study.fleet);
  const roster = new Set(rosterOf(study.fleet));
  const told = new Set<string>();
  return aggregator.onChange(() => {
    for (const { device, address } of aggregator.sessions()) {
      if (roster.has(device) || told.has(address)) continue;
      told.add(address);
      say(`${device} (${address}) has joined, but this study has room for ${room}: it does not take part`);
    }
  });
};

const listenForForeign = async (
  aggregator: Aggregator,
  listen: ListenOptions,
  isChosen: boolean,
): Promise<{ host: string; port: number }> => {
  const tls =
    listen.tlsCert === undefined || listen.tlsKey === undefined
      ? undefined
      : { cert: read(listen.tlsCert, "--tls-cert"), key: read(listen.tlsKey, "--tls-key") };
  const { host, port } = listen;
  try {
    return await aggregator.listen({ host, port, ...(tls === undefined ? {} : { tls }) });
  } catch (error) {
    const inUse = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === "EADDRINUSE";
    // A person who starts studies in the page has named no address, and has no option to name one.
    throw new UserError(
      inUse && !isChosen
        ? `another program uses ${host}:${port}, where this study waits for its Flower clients. End that program and resume the study, or run it from the command line with --listen HOST:PORT.`
        : `--listen ${host}:${port}: ${(error as Error).message}`,
      { cause: error },
    );
  }
};

const read = (file: string, option: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(`${option} ${file}: ${(error as Error).message}`, { cause: error });
  }
};
