import type { Failure, Result } from "#contract/failure.ts";
import type { ConfigOut } from "#main/wire/protocol.ts";
import { badToken, sameSecret, TOKEN_PROPERTY } from "./admission.ts";
import { within } from "./deadline.ts";
import type { Join } from "./join.ts";
import type { Reply } from "./reply.ts";

/** Time for a foreign client to answer what its join token is. */
const TOKEN_TIMEOUT_MS = 10_000;
/** A client that has not been let in may send no more than this. */

const TOKEN_REPLY_BYTES = 64 << 10;
/**
 * Asks a client that sent no metadata for the join token, as unmodified Flower clients need it.
 * @returns why the client is refused; undefined when it may join
 */
export const askToken = async (join: Join, token: string): Promise<Failure | undefined> => {
  const config: ConfigOut = { want: { kind: "string", value: TOKEN_PROPERTY } };
  const answer = join.request({ kind: "getProperties", config }, {}, TOKEN_REPLY_BYTES);
  let result: Result<Reply> | undefined;
  await within(
    TOKEN_TIMEOUT_MS,
    answer.then((r) => {
      result = r;
    }),
  );
  if (result === undefined) return badToken(`did not come within ${TOKEN_TIMEOUT_MS / 1000} s`);
  if (!result.ok) return badToken(`did not come: ${result.failure.cause}`);
  const { message, release } = result.value;
  const given = message.kind === "properties" ? message.properties[TOKEN_PROPERTY] : undefined;
  release();
  if (typeof given !== "string") return badToken("is missing from the client's properties");
  return sameSecret(given, token) ? undefined : badToken("is wrong");
};
