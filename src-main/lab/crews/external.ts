import { readFileSync } from "node:fs";
import { UserError } from "#contract/failure.ts";
import { CREWS, rosterOf } from "#contract/fleet.ts";
import type { Study } from "#contract/study.ts";
import type { Aggregator } from "#main/aggregator/aggregator.ts";
import type { ListenOptions } from "#main/hosts/cli/listen-options.ts";
import type { BringUp } from "./crew.ts";

/** Where foreign clients are expected by default: Flower's own port. */
export const DEFAULT_LISTEN: ListenOptions = {
  host: "127.0.0.1",
  port: 8080,
  insecure: false,
  joinToken: undefined,
  allow: [],
  tlsCert: undefined,
  tlsKey: undefined,
};

/** Listens for foreign Flower clients where the study expects some, or where a person gave an address. */
export const bringUpExternal: BringUp = async ({ study, aggregator, options, say }) => {
  const wanted = CREWS.external.count(study.fleet);
  if (wanted === 0 && options.listen === undefined) return undefined;
  const at = await listenForForeign(
    aggregator,
    options.listen ?? DEFAULT_LISTEN,
    options.listen !== undefined,
  );
  const host = at.host.includes(":") ? `[${at.host}]` : at.host;
  const stopTelling = reportSurplusClients(aggregator, study, say);
  say(`listening on ${host}:${at.port} for Flower clients (${wanted} expected)`);
  return {
    async stop() {
      stopTelling();
    },
  };
};

/** Which clients may join without a ticket or a channel: none, unless the study expects foreign clients. */
export const admissionOf = (study: Study, listen: ListenOptions | undefined) => {
  if (CREWS.external.count(study.fleet) === 0 && listen === undefined) {
    return { kind: "allow", addresses: [] as string[] } as const;
  }
  const { joinToken, allow } = listen ?? DEFAULT_LISTEN;
  if (joinToken !== undefined) return { kind: "token", token: joinToken } as const;
  if (allow.length > 0) return { kind: "allow", addresses: allow } as const;
  return { kind: "open" } as const;
};

/** A client beyond the number that the study has room for waits for ever: a person should know. */
const reportSurplusClients = (
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
      say(
        `${device} (${address}) joined, but this study has room for only ${room}, so it does not take part`,
      );
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
        ? `another program uses ${host}:${port}, where this study expects its Flower clients. Quit that program and resume the study, or run it from the command line with --listen HOST:PORT.`
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
