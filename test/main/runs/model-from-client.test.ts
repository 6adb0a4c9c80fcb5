import { expect, test } from "vitest";
import type { Result } from "#contract/failure.ts";
import { parseStudy } from "#contract/study.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import type { Equipment, LabPorts, StoredStudy } from "#main/runs/lab-ports.ts";
import { modelFromClient } from "#main/runs/model-from-client.ts";
import type { ClientMessage } from "#main/wire/protocol.ts";
import { type Behaviour, control, fakeClients, fakeLab, OK, weightsOf } from "#test/fakes/lab.ts";

const parsed = parseStudy({
  name: "t",
  dataset: "on-clients",
  model: "from-client",
  algorithms: ["fedavg"],
  fleet: { external: 2 },
  rounds: 1,
  optimizer: { lr: 0.1 },
  evaluation: { central: false },
});
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const stored: StoredStudy = {
  id: "s-1",
  study: parsed.study,
  partition: undefined,
  classes: [],
  engine: { kind: "wasm", version: "", path: "", threads: 1 },
  runs: [{ id: "r", algorithm: "fedavg", trial: 1, seed: 1, status: "waiting" }],
};

const ask = (behave: Behaviour, kept?: readonly NamedTensor[], c = control()) => {
  const clients = fakeClients(["external-1", "external-2"], behave);
  const lab = fakeLab(clients);
  const written: (readonly NamedTensor[])[] = [];
  const ports = {
    run: lab,
    emit: lab.emit,
    initial: {
      read: async () => kept,
      write: async (_: string, t: readonly NamedTensor[]) => void written.push(t),
    },
  } as unknown as LabPorts;
  const model = modelFromClient({
    ports,
    stored,
    equipment: { clients } as unknown as Equipment,
    control: c,
  });
  return { model, written, clients };
};

const gives = (
  parameters: readonly NamedTensor[],
  status = OK as { code: number; message: string },
): Result<ClientMessage> => ({
  ok: true,
  value: { kind: "parameters", status, parameters },
});

test("the first client by name gives everybody's first weights, which are kept with the study", async () => {
  const { model, written, clients } = ask(async (device) =>
    gives(weightsOf(device === "external-1" ? 1 : 2)),
  );
  const made = await model;
  expect(made?.parameters.map((p) => [p.name, p.dtype, p.kind])).toEqual([
    ["parameter-0", "float32", "trainable"],
    ["parameter-1", "int64", "buffer"],
    ["parameter-2", "float32", "trainable"],
    ["parameter-3", "float32", "trainable"],
  ]);
  expect([...(made?.initialWeights(0)[0]?.bytes ?? [])]).toEqual([...(weightsOf(1)[0]?.bytes ?? [])]);
  expect(written).toHaveLength(1);
  expect(clients.held.size).toBe(0);
  expect(clients.asked.has("external-2")).toBe(false);
});

test("what was kept is asked of nobody again", async () => {
  const kept = weightsOf(3).map((t, i) => ({ ...t, name: `parameter-${i}` }));
  const { model, written, clients } = ask(async () => gives(weightsOf(1)), kept);
  expect([...((await model)?.initialWeights(0)[0]?.bytes ?? [])]).toEqual([...(kept[0]?.bytes ?? [])]);
  expect(written).toEqual([]);
  expect(clients.asked.size).toBe(0);
});

test("a client that cannot is passed over; when none can, the error names the last one and its reason", async () => {
  const cannot = { code: 2, message: "get_parameters is not implemented" };
  const one = ask(async (device) => (device === "external-1" ? gives([], cannot) : gives(weightsOf(2))));
  expect([...((await one.model)?.initialWeights(0)[0]?.bytes ?? [])]).toEqual([
    ...(weightsOf(2)[0]?.bytes ?? []),
  ]);
  const none = ask(async () => gives([], cannot));
  await expect(none.model).rejects.toThrow(
    /external-2: get_parameters is not implemented.*get_parameters in the client/,
  );
  expect([...none.clients.asked.values()].map((asked) => asked.length)).toEqual([1, 1]);
});

test("a client that hangs is no reason not to stop", async () => {
  const c = control();
  const { model } = ask(() => new Promise(() => {}), undefined, c);
  setTimeout(() => {
    c.stopAfterRound();
  }, 50);
  expect(await model).toBeUndefined();
});
