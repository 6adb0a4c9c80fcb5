import type { Failure } from "#contract/failure.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import type { ClientMessage } from "#main/wire/protocol.ts";

/** The one kind of answer that each question has. */
export const EXPECTED_REPLY: Readonly<Record<OutgoingMessage["kind"], ClientMessage["kind"]>> = {
  reconnect: "disconnect",
  getProperties: "properties",
  getParameters: "parameters",
  fit: "fit",
  evaluate: "evaluate",
};

/** The stage of a failure that comes while the client works. */
export const STAGE: Readonly<Record<OutgoingMessage["kind"], Failure["stage"]>> = {
  reconnect: "join",
  getProperties: "join",
  getParameters: "join",
  fit: "fit",
  evaluate: "evaluate",
};

/** What a person can do about a client that failed. */
export const NEXT_STEP: Readonly<Partial<Record<Failure["code"], string>>> = {
  "connection-lost": "Look at the client's log on the device; it takes part again when it rejoins.",
  "protocol-broken": "Check that the client is an unmodified Flower client.",
  "message-too-large": "Use a smaller model; one message holds all of its weights.",
  "bad-metrics": "Report fewer metrics, with shorter names, from the client's fit and evaluate.",
  "client-error": "Look at the client's log on the device.",
};
