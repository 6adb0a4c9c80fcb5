import { UserError } from "#contract/failure.ts";

/** Where Flower clients may connect, and which of them are let in. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly insecure: boolean;
  readonly joinToken: string | undefined;
  readonly allow: readonly string[];
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}

/** `--listen` and the options that go with it, as they were given. */
export interface GivenListen {
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  readonly insecure: boolean;
  readonly joinToken: string | undefined;
  readonly allow: readonly string[] | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}

export const SHORTEST_TOKEN = 16;

/** Reads `127.0.0.1:8080`, `[::1]:8080` or `:8080` (every address). @returns undefined for anything else. */
export const parseAddress = (text: string): { host: string; port: number } | undefined => {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) return undefined;
  return { host: match[1] ?? (match[2] || "::"), port };
};

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Checks that the options for listening fit together.
 * @throws UserError that names the options in question.
 */
export const listenOptions = (given: GivenListen): ListenOptions | undefined => {
  const { listen, insecure, joinToken, allow = [], tlsCert, tlsKey } = given;
  if (listen === undefined) {
    refuseWithoutListen(given);
    return undefined;
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const missing = tlsCert === undefined ? "--tls-cert" : "--tls-key";
    throw new UserError(`TLS needs both --tls-cert FILE and --tls-key FILE; ${missing} is missing`);
  }
  if (joinToken !== undefined && allow.length > 0) {
    throw new UserError("--join-token and --allow exclude each other; give one, not both");
  }
  if (!isLoopback(listen.host) && !insecure) refuseOpenDoor(listen, given);
  return { ...listen, insecure, joinToken, allow, tlsCert, tlsKey };
};

const refuseWithoutListen = ({ joinToken, allow, tlsCert, tlsKey, insecure }: GivenListen): void => {
  const given = {
    "--join-token": joinToken,
    "--allow": allow,
    "--tls-cert": tlsCert,
    "--tls-key": tlsKey,
    "--insecure": insecure || undefined,
  };
  const first = Object.entries(given).find(([, value]) => value !== undefined);
  if (first !== undefined) throw new UserError(`${first[0]} needs --listen HOST:PORT as well`);
};

/** Beyond loopback, clients must be known and their traffic encrypted. */
const refuseOpenDoor = (
  { host, port }: { readonly host: string; readonly port: number },
  { tlsCert, joinToken, allow = [] }: GivenListen,
): void => {
  const missing = [
    ...(tlsCert === undefined ? ["--tls-cert FILE --tls-key FILE"] : []),
    ...(joinToken === undefined && allow.length === 0 ? ["--join-token TOKEN (or --allow IP,…)"] : []),
  ];
  if (missing.length === 0) return;
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  throw new UserError(
    `--listen ${address} is open to other computers. Add ${missing.join(" and ")}, or give --insecure to let anyone join without encryption`,
  );
};
