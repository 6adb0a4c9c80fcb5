import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createSlots } from "#contract/slots.ts";
import { float32Tensor, type NamedTensor } from "#contract/tensor.ts";
import type { Learner } from "#main/virtual-devices/device-rooms.ts";
import { createDeviceTasks, type DeviceTasks } from "#main/virtual-devices/device-tasks.ts";
import type { Incoming } from "#main/virtual-devices/flower-connection.ts";
import type { SharedByDevices } from "#main/virtual-devices/shared-by-devices.ts";
import { encodeServerMessage } from "#main/wire/messages.ts";
import { CALM, SAMPLE, sha256Of, until } from "./virtual-lab.ts";

/** A model of one tensor whose update is large: 2 MiB. */
const VALUES = 1 << 19;
const weights = (): NamedTensor[] => [
  { name: "w", ...float32Tensor([VALUES], new Float32Array(VALUES).fill(1)) },
];
const recipe = {
  round: 1,
  run: "r-test",
  model: "Net",
  numClasses: 10,
  localEpochs: 1,
  batchSize: 1,
  optimizer: { kind: "sgd", lr: 0.1, momentum: 0, nesterov: false, weightDecay: 0 },
  loss: { kind: "ce" },
  seed: 1,
  keeps: [],
  keptFrom: 0,
  initSeed: 1,
};

const instruction = (): Incoming => ({
  bytes: Buffer.concat(
    encodeServerMessage("flwr", {
      kind: "fit",
      parameters: weights(),
      config: { fedfleet: { kind: "string", value: JSON.stringify(recipe) } },
    }),
  ),
  slot: undefined,
});

const share = (learner: Learner, more: Partial<SharedByDevices> = {}): SharedByDevices => {
  const empty = {
    count: 0,
    height: 32,
    width: 32,
    channels: 1,
    pixels: new Uint8Array(),
    labels: new Uint8Array(),
  };
  const pictures = { ...empty, channels: 1 } as const;
  return {
    task: {
      server: { host: "127.0.0.1", port: 1 },
      dataset: SAMPLE,
      model: "Net",
      numClasses: 10,
      keptDir: "/nowhere",
      seed: 1,
    },
    data: {
      name: "none",
      classes: [],
      train: pictures,
      test: { kind: "labelled", images: pictures },
      mean: [0, 0, 0],
      std: [1, 1, 1],
    },
    learner,
    models: {
      parameters: () => [{ name: "w", dtype: "float32", shape: [VALUES], kind: "trainable" }],
      initialWeights: weights,
    },
    kept: {
      load: async () => [],
      save: async () => {},
    },
    compute: createSlots(1),
    uploads: createSlots(2),
    asleep: createSlots(4),
    clock: { now: () => 0, sleep: () => turn() },
    crash: () => {
      throw new Error("no crash is simulated here");
    },
    onProgress: () => {},
    onFaultAhead: () => {},
    ...more,
  };
};

const device = (i: number, shared: SharedByDevices, slowness = 1): DeviceTasks =>
  createDeviceTasks(
    {
      name: `virtual-${i}`,
      ticket: "",
      trainIndices: [0],
      testIndices: [0],
      profile: { ...CALM, slowness },
    },
    shared,
  );
const never = new AbortController().signal;

/** Lets everything go on that can: no part of this test waits for a timer, so a few turns are enough. */
const settled = async (): Promise<void> => {
  for (let i = 0; i < 50; i += 1) await turn();
};

test("one trains at a time; two finished updates may wait for their upload, a third holds up the next training", async () => {
  let training = 0;
  let most = 0;
  let trained = 0;
  const left: (readonly NamedTensor[])[] = [];
  const learner: Learner = {
    async train(input) {
      training += 1;
      most = Math.max(most, training);
      const own = input.weights.map((t) => ({ ...t, bytes: t.bytes.slice() }));
      await turn();
      input.onProgress?.(1);
      left.push(input.weights);
      trained += 1;
      training -= 1;
      return { weights: own, examples: 1, loss: 1, accuracy: 0 };
    },
    evaluate: () => Promise.reject(new Error("nothing is evaluated here")),
  };
  // The head start of an upload is over at once: the server reads nothing until the test says so.
  const shared = share(learner);
  const finished: (() => void)[] = [];
  const outcomes = [1, 2, 3, 4, 5].map(async (i) => {
    const incoming = instruction();
    const outcome = await device(i, shared).carryOut(incoming, "flwr", never, () => {});
    expect(incoming.bytes).toBeUndefined();
    if (outcome.kind !== "answer" || outcome.message.kind !== "fit") throw new Error(outcome.kind);
    expect(sha256Of(outcome.message.parameters)).toBe(sha256Of(weights()));
    finished.push(outcome.sent);
  });
  await until(() => shared.uploads.waiting === 1);
  await settled();
  expect(trained).toBe(3);
  expect(finished).toHaveLength(2);
  // The message was let go of as soon as the training had begun.
  expect(left.every((views) => views.length === 0)).toBe(true);
  finished[0]!();
  await until(() => trained === 4);
  await settled();
  expect(trained).toBe(4);
  for (let i = 1; i < 5; i += 1) {
    await until(() => finished.length > i);
    finished[i]!();
  }
  await Promise.all(outcomes);
  expect(trained).toBe(5);
  expect(most).toBe(1);
  expect(shared.compute.free).toBe(1);
});

test("the next training begins when a large update has left, or after its head start", async () => {
  let begun = 0;
  const learner: Learner = {
    async train() {
      begun += 1;
      return { weights: weights(), examples: 1, loss: 1, accuracy: 0 };
    },
    evaluate: () => Promise.reject(new Error("nothing is evaluated here")),
  };
  const over = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let sleeps = 0;
  const clock: SharedByDevices["clock"] = {
    now: () => 0,
    sleep: async () => await over[sleeps++]?.promise,
  };
  const shared = share(learner, { clock });
  const carryOut = (i: number) => device(i, shared).carryOut(instruction(), "flwr", never, () => {});
  const [first, second, third] = [carryOut(1), carryOut(2), carryOut(3)];
  const sent = await first;
  await settled();
  expect(begun).toBe(1);
  if (sent.kind === "answer") sent.sent();
  await second;
  await settled();
  expect(begun).toBe(2);
  over[1]!.resolve();
  await until(() => begun === 3);
  over[0]!.resolve();
  void third;
});

test("a device whose connection ends gives up its turn, its training and its slots", async () => {
  const learner: Learner = {
    async train({ signal }) {
      await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      throw new Error("not reached");
    },
    evaluate: () => Promise.reject(new Error("nothing is evaluated here")),
  };
  const shared = share(learner);
  const first = new AbortController();
  const second = new AbortController();
  const training = device(1, shared).carryOut(instruction(), "flwr", first.signal, () => {});
  const waiting = device(2, shared).carryOut(instruction(), "flwr", second.signal, () => {});
  await until(() => shared.compute.waiting === 1);
  second.abort(new Error("gone"));
  expect(await waiting).toEqual({ kind: "lost" });
  first.abort(new Error("gone"));
  expect(await training).toEqual({ kind: "lost" });
  expect(shared.compute.free).toBe(1);
  expect(shared.uploads.free).toBe(2);
});

test("a slow device waits without the compute slot", async () => {
  let now = 0;
  const learner: Learner = {
    async train() {
      now += 20;
      return { weights: weights(), examples: 1, loss: 1, accuracy: 0 };
    },
    evaluate: () => Promise.reject(new Error("nothing is evaluated here")),
  };
  const waits: number[] = [];
  const waiting = Promise.withResolvers<void>();
  const clock: SharedByDevices["clock"] = {
    now: () => now,
    sleep: async (ms) => {
      waits.push(ms);
      await waiting.promise;
    },
  };
  const shared = share(learner, { clock });
  const slow = device(1, shared, 10).carryOut(instruction(), "flwr", never, () => {});
  const fast = await device(2, shared).carryOut(instruction(), "flwr", never, () => {});
  expect(fast.kind).toBe("answer");
  // The other sleep is the head start of the fast device's upload.
  expect(waits).toHaveLength(2);
  expect(waits[0]).toBe(9 * 20);
  waiting.resolve();
  expect((await slow).kind).toBe("answer");
});

test("four updates of slow devices may sleep; the fifth keeps the compute slot until there is room", async () => {
  let trained = 0;
  const learner: Learner = {
    async train() {
      trained += 1;
      await turn();
      return { weights: weights(), examples: 1, loss: 1, accuracy: 0 };
    },
    evaluate: () => Promise.reject(new Error("nothing is evaluated here")),
  };
  const sleeps: (() => void)[] = [];
  const clock: SharedByDevices["clock"] = {
    now: () => 0,
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        sleeps.push(resolve);
        signal.addEventListener("abort", () => resolve());
      }),
  };
  const shared = share(learner, { clock });
  const controllers = Array.from({ length: 6 }, () => new AbortController());
  const slow = controllers.map((controller, i) =>
    device(i, shared, 10).carryOut(instruction(), "flwr", controller.signal, () => {}),
  );
  const fast = device(7, shared).carryOut(instruction(), "flwr", never, () => {});
  await until(() => shared.asleep.waiting === 1);
  await settled();
  expect(trained).toBe(5);
  expect(sleeps).toHaveLength(4);
  expect(shared.asleep.waiting).toBe(1);
  expect(shared.compute.free).toBe(0);

  // One has slept enough: the fifth sleeps in its place, the sixth trains and finds no room.
  sleeps[0]!();
  expect((await slow[0]!).kind).toBe("answer");
  await until(() => trained === 6 && shared.asleep.waiting === 1);
  await settled();
  expect([trained, shared.asleep.waiting]).toEqual([6, 1]);

  // Two are lost, one of them asleep and one that waits for room: no room is lost with them.
  controllers[1]!.abort(new Error("gone"));
  controllers[5]!.abort(new Error("gone"));
  expect(await slow[1]!).toEqual({ kind: "lost" });
  expect(await slow[5]!).toEqual({ kind: "lost" });
  expect((await fast).kind).toBe("answer");
  expect([trained, shared.asleep.waiting, shared.asleep.free]).toEqual([7, 0, 1]);
});

test("a small update of a slow device needs no room", async () => {
  const small = { name: "w", ...float32Tensor([1], new Float32Array([1])) };
  const learner: Learner = {
    train: async () => ({ weights: [small], examples: 1, loss: 1, accuracy: 0 }),
    evaluate: () => Promise.reject(new Error("nothing is evaluated here")),
  };
  const shared = share(learner, { asleep: createSlots(0) });
  const outcome = await device(1, shared, 2).carryOut(instruction(), "flwr", never, () => {});
  expect(outcome.kind).toBe("answer");
  expect(shared.compute.free).toBe(1);
});
