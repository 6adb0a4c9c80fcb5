import type { NamedTensor, ParameterSpec, Tensor } from "#contract/tensor.ts";
import { gatherClients } from "./gather-clients.ts";
import type { Equipment, LabPorts, StoredStudy } from "./lab-ports.ts";
import { rosterOf } from "./open-study.ts";
import type { Control, Model } from "./ports.ts";

/**
 * The model of a study that leaves it to its clients: the parameters of the first client (by name) are everybody's
 * first weights, as Flower's own server does it. The wire carries no names, so entries are called `parameter-0`, ….
 * They are kept in a file of the study itself, so that every run of it, resumed or not, starts from the same.
 *
 * @returns undefined when the study was stopped while it waited for a client.
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

const askClients = async (input: {
  readonly ports: LabPorts;
  readonly stored: StoredStudy;
  readonly equipment: Equipment;
  readonly control: Control;
}): Promise<readonly NamedTensor[] | undefined> => {
  const { ports, stored, equipment, control } = input;
  for (;;) {
    const sessions = await gatherClients({
      run: stored.runs[0]?.id ?? stored.id,
      round: 0,
      roster: rosterOf(stored.study),
      sampling: stored.study.sampling,
      met: false,
      ports: { clients: equipment.clients, emit: ports.emit, now: ports.run.now },
      control,
    });
    if (sessions.length === 0) return undefined;
    for (const session of sessions) {
      const answer = await session.request({ kind: "getParameters", config: {} });
      if (!answer.ok) continue;
      const { message } = answer.value;
      const usable =
        message.kind === "parameters" && message.status.code === 0 && message.parameters.length > 0;
      const tensors = usable ? message.parameters.map(named) : undefined;
      answer.value.release();
      if (tensors !== undefined) return tensors;
    }
  }
};

/** The reply's tensors are views of a buffer that is given back: these are copies. */
const named = (tensor: Tensor, i: number): NamedTensor => ({
  name: `parameter-${i}`,
  dtype: tensor.dtype,
  shape: tensor.shape,
  bytes: tensor.bytes.slice(),
});
