import type { Architecture, BoardAction, BoardProblem } from "#contract/boards.ts";
import type { Space } from "./disk.ts";
import { diskFull, isDiskFull, sentence } from "./engine-problems.ts";

/** Why a build made no image, from what it printed. */

const RETRY: BoardAction = { do: "retry", label: "Try again" };
const LOAD: BoardAction = { do: "load-image", label: "Load a saved image" };

const ARCHITECTURES: Readonly<Record<Architecture, string>> = {
  arm64: "arm64",
  "x86-64": "x86-64",
  arm: "32-bit ARM",
  x86: "32-bit x86",
  other: "another kind",
};

export const wrongArchitecture = (image: Architecture, board: Architecture, raw?: string): BoardProblem => ({
  code: "wrong-architecture",
  title: "This image is for another kind of processor",
  cause: `The image is made for ${ARCHITECTURES[image]}, the board's processor is ${ARCHITECTURES[board]}.`,
  next: "Build the image on the board, or load one that was saved on a board of the same kind.",
  ...(raw === undefined ? {} : { raw }),
  actions: [{ do: "step", step: "image", label: "Build the image" }, LOAD],
});

const noInternet = (cause: string, next: string, raw: string): BoardProblem => ({
  code: "no-internet",
  title: "The board could not download what the image needs",
  cause,
  next,
  raw,
  actions: [RETRY, LOAD],
});

const CERTIFICATE =
  /CERTIFICATE_VERIFY_FAILED|certificate signed by unknown authority|self[- ]signed certificate|Certificate verification failed|The certificate is NOT trusted/i;
const CLOCK =
  /is not (yet )?valid (yet|until|for another)|certificate is not yet valid|certificate has expired or is not yet valid/i;
const LIMIT = /toomanyrequests|rate limit|429 Too Many Requests/i;
const NO_NETWORK =
  /Temporary failure (in name resolution|resolving)|Could not resolve|Name or service not known|no such host|Network is unreachable|No route to host|i\/o timeout|Could not connect to|Unable to connect to|Failed to establish a new connection|Connection timed out|connection refused|net\/http: request canceled|TLS handshake timeout|NewConnectionError|ProxyError|Failed to fetch/i;

export interface FailedBuild {
  /** The engine's own error message. */
  readonly error: string;
  /** What was printed last, oldest first. */
  readonly lines: readonly string[];
  readonly board: Architecture;
  readonly space: Space | undefined;
  readonly neededBytes: number | undefined;
}

export const buildProblem = ({ error, lines, board, space, neededBytes }: FailedBuild): BoardProblem => {
  const raw = [...lines.slice(-20), error].join("\n").slice(-4000);
  // Warnings of earlier instructions say nothing about this one.
  const said = [...lines.slice(-60), error].join("\n");
  if (isDiskFull(said)) return diskFull(space, neededBytes, raw);
  if (/exec format error/i.test(said)) return wrongArchitecture("other", board, raw);
  if (/no match(ing|) (for platform|manifest)|does not match the (specified|expected) platform/i.test(said)) {
    return {
      ...wrongArchitecture("other", board, raw),
      cause: `The base image is not published for the board's processor (${ARCHITECTURES[board]}).`,
    };
  }
  if (CLOCK.test(said)) {
    return {
      code: "build-failed",
      title: "The board's clock is wrong",
      cause: "Certificates look expired or not yet valid: a board without a battery loses the time.",
      next: "Set the board's clock, then try again.",
      raw,
      actions: [
        {
          do: "show-commands",
          label: "Show how to set the clock",
          commands: ["timedatectl", "sudo timedatectl set-ntp true"],
        },
        RETRY,
      ],
    };
  }
  if (CERTIFICATE.test(said)) {
    return noInternet(
      "A certificate on the way is not trusted: the network inspects encrypted traffic.",
      "Start the lab with FEDFLEET_EXTRA_CA naming the PEM file of your network's certificate, or load a saved image.",
      raw,
    );
  }
  if (LIMIT.test(said)) {
    return noInternet(
      "The image registry allows no more downloads from this network for now.",
      "Wait an hour, or load a saved image.",
      raw,
    );
  }
  if (/pull access denied|manifest unknown|manifest for .* not found|repository does not exist/i.test(said)) {
    return {
      code: "build-failed",
      title: "The base image does not exist",
      cause: "The registry has no image of the name in the Dockerfile's FROM line.",
      next: "Load a saved image, or change the base image in device-scripts.",
      raw,
      actions: [LOAD],
    };
  }
  if (NO_NETWORK.test(said)) {
    return noInternet(
      "It has no internet connection, or a proxy or name server does not answer.",
      "Connect the board to the internet and try again, or load an image that was saved elsewhere.",
      raw,
    );
  }
  if (/returned a non-zero code: 137|Killed$/m.test(said)) {
    return {
      code: "out-of-memory",
      title: "The board ran out of memory while building",
      cause: "Its system killed a command of the build.",
      next: "Close other programs on the board or add swap, then try again; or load a saved image.",
      raw,
      actions: [RETRY, LOAD],
    };
  }
  return {
    code: "build-failed",
    title: "The image could not be built",
    cause: sentence(error),
    next: "Read the last lines; try again, or load a saved image.",
    raw,
    actions: [RETRY, LOAD],
  };
};
