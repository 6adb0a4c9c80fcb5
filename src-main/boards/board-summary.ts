import type { BoardSummary, BoardView, ClientView, ProvisionPlan, TelemetryPoint } from "#contract/boards.ts";
import type { LinkState } from "./board-ports.ts";
import type { BoardRecord } from "./board-record.ts";

export interface BoardNow {
  readonly record: BoardRecord;
  readonly address: string;
  readonly link: LinkState;
  readonly isSettingUp: boolean;
  /** The name of its client image, where one can be made. */
  readonly image: string | undefined;
  readonly client: ClientView | undefined;
  readonly telemetry: TelemetryPoint | undefined;
}

/** What the fleet's table says of a board. */
export const summaryOf = ({
  record: { facts, ready },
  address,
  link: { state, since, problem, retryAt },
  image,
  client,
  telemetry,
  ...now
}: BoardNow): BoardSummary => ({
  address,
  state,
  since,
  ...(problem === undefined ? {} : { problem }),
  ...(retryAt === undefined ? {} : { retryAt }),
  setup: setupOf(facts, ready, now.isSettingUp),
  ...(facts === undefined ? {} : { model: facts.model, arch: facts.arch }),
  ...(image === undefined || !ready ? {} : { image }),
  ...(client === undefined ? {} : { client }),
  ...(telemetry === undefined ? {} : { telemetry }),
});

const setupOf = (
  facts: BoardRecord["facts"],
  ready: boolean,
  isSettingUp: boolean,
): BoardSummary["setup"] => {
  if (isSettingUp) return "running";
  if (facts === undefined) return "unknown";
  if (facts.recipe === undefined) return "unsupported";
  return ready ? "ready" : "needed";
};

/** What a board's own page says of it. */
export const viewOf = (
  summary: BoardSummary,
  record: BoardRecord,
  plan: ProvisionPlan | undefined,
  history: readonly TelemetryPoint[],
): BoardView => {
  const { name, target, signIn, hostKey, addedAt, facts, dataFolder } = record;
  return {
    ...summary,
    name,
    target,
    signIn: signIn.kind,
    hostKey,
    addedAt,
    ...(facts === undefined ? {} : { facts }),
    ...(plan === undefined ? {} : { plan }),
    ...(dataFolder === undefined ? {} : { dataFolder }),
    history,
  };
};
