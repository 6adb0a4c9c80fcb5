import { type Result, UserError } from "#contract/failure.ts";
import { rosterOf } from "#contract/fleet.ts";
import type { NamedTensor, ParameterSpec, Tensor } from "#contract/tensor.ts";
import { gatherClients } from "./gather-clients.ts";
import type { Equipment, LabPorts, StoredStudy } from "./lab-ports.ts";
import type { Control, DeviceReply, Model } from "./ports.ts";
import { unlessAborted } from "./unless-aborted.ts";
import { NEXT } from "./waiting.ts";

/**
 * The model of a study that leaves it to its clients: the parameters of the first client (by name) are the
 * initial weights, as in Flower's own server. The wire carries no names, so entries are called `parameter-0`, ….
 * A file of the study keeps them, so that all of its runs, resumed or not, start from the same weights.
 *
 * @returns undefined when the study was stopped while waiting for a client.
 */
export const modelFromClient = async (input: {
  readonly ports: LabPorts;
  readonly stored: StoredStudy;
  readonly equipment: Equipment;
  readonly control: Control;
}): Promise<Model | undefined> => {
  const { ports, stored } = input;
  const kept = await ports.initial.read(stored.id);
  const tensors = kept ?? (await askClients(input));
  if (tensors === undefined) return undefined;
  if (kept === undefined) await ports.initial.write(stored.id, tensors);
  const ordered = tensors.toSorted((a, b) => position(a.name) - position(b.name));
  const parameters = ordered.map(
    (t): ParameterSpec => ({
      name: t.name,
      dtype: t.dtype,
      shape: t.shape,
      kind: t.dtype.startsWith("float") ? "trainable" : "buffer",
    }),
  );
  return { name: "from-client", numClasses: 0, parameters, initialWeights: () => ordered };
};

const position = (name: string): number => Number(name.slice(name.lastIndexOf("-") + 1));

/** How long a client may take to hand over its parameters, before the server asks the next one. */
const PATIENCE_MS = 60_000;

/** @throws UserError when no client sent parameters, with the last one's reason. */
const askClients = async (input: {
  readonly ports: LabPorts;
  readonly stored: StoredStudy;
  readonly equipment: Equipment;
  readonly control: Control;
}): Promise<readonly NamedTensor[] | undefined> => {
  const { ports, stored, equipment, control } = input;
  const run = stored.runs[0]?.id ?? stored.id;
  const sessions = await gatherClients({
    run,
    round: 0,
    roster: rosterOf(stored.study.fleet),
    hosted: [],
    sampling: stored.study.sampling,
    met: false,
    ports: { clients: equipment.clients, emit: ports.emit, now: ports.run.now },
    control,
  });
  if (sessions.length === 0) return undefined;
  // Before the first round there is nothing to finish: the first Ctrl-C stops at once.
  const stops = AbortSignal.any([control.now, control.afterRound]);
  let why = "";
  for (const session of sessions) {
    const startedAt = ports.run.now();
    const asked = session.request({ kind: "getParameters", config: {} }).then(parametersOf);
    const ticking = setInterval(() => {
      const sinceMs = ports.run.now() - startedAt;
      const what = `${session.device} to send its parameters`;
      ports.emit({
        kind: "waiting",
        run,
        round: 0,
        stage: "joining",
        for: what,
        sinceMs,
        next: NEXT,
      });
    }, 2000);
    try {
      const given = await unlessAborted(withinPatience(asked), stops);
      if (typeof given !== "string") return given;
      why = `${session.device}: ${given}`;
    } catch (error) {
      if (stops.aborted) return undefined;
      throw error;
    } finally {
      clearInterval(ticking);
    }
  }
  throw new UserError(
    `model: from-client: no client sent its parameters; ${why}. Implement get_parameters in the client, or choose one of the lab's models.`,
  );
};

/** The tensors of an answer to getParameters, or why there are none. */
const parametersOf = (answer: Result<DeviceReply>): readonly NamedTensor[] | string => {
  if (!answer.ok) return answer.failure.cause;
  const { message } = answer.value;
  const tensors =
    message.kind === "parameters" && message.status.code === 0 ? message.parameters.map(named) : [];
  const said = message.kind === "parameters" ? message.status.message : "";
  answer.value.release();
  return tensors.length > 0 ? tensors : said || "its answer contains no tensors";
};

const withinPatience = <T>(promise: Promise<T>): Promise<T | string> => {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, `it did not answer within ${PATIENCE_MS / 1000} s`);
  });
  return Promise.race([promise, patience]).finally(() => clearTimeout(timer));
};

/** A copy: the reply's tensors are views of a buffer that is released. */
const named = (tensor: Tensor, i: number): NamedTensor => ({
  name: `parameter-${i}`,
  dtype: tensor.dtype,
  shape: tensor.shape,
  bytes: tensor.bytes.slice(),
});
