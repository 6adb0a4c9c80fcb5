import { createHash } from "node:crypto";
import type { LabEventBody, RoundResult, TrainingProgress } from "#contract/events.ts";
import type { Result } from "#contract/failure.ts";
import { float32Tensor, type NamedTensor, type ParameterSpec, type Tensor } from "#contract/tensor.ts";
import type { Clients, Control, DeviceReply, DeviceSession, Model, RunPorts } from "#main/runs/ports.ts";
import { decodeServerMessage, encodeServerMessage, type OutgoingMessage } from "#main/wire/messages.ts";
import type { ClientMessage, ReceivedServerMessage } from "#main/wire/protocol.ts";

/** What a fake device does with an instruction, which it gets as it comes off the wire. */
export type Behaviour = (device: string, message: ReceivedServerMessage) => Promise<Result<ClientMessage>>;

export interface FakeClients extends Clients {
  join(device: string): void;
  leave(device: string): void;
  /** A device tells how far its training is. */
  tell(progress: TrainingProgress): void;
  /** Everything that was asked of each device. */
  readonly asked: Map<string, OutgoingMessage[]>;
  /** Replies handed out and not released. */
  readonly held: Set<object>;
}

/** Devices in memory that keep the ping-pong rule of real sessions. */
export const fakeClients = (names: readonly string[], behave: Behaviour): FakeClients => {
  const listeners = new Set<() => void>();
  const trainings = new Set<(progress: TrainingProgress) => void>();
  const sessions = new Map<string, DeviceSession>();
  const asked = new Map<string, OutgoingMessage[]>();
  const held = new Set<object>();
  const changed = () => {
    for (const listener of [...listeners]) listener();
  };
  const make = (device: string): DeviceSession => {
    let busy = false;
    return {
      device,
      get busy() {
        return busy;
      },
      async request(message, hooks): Promise<Result<DeviceReply>> {
        if (busy) throw new Error(`${device} was asked while busy`);
        busy = true;
        asked.set(device, [...(asked.get(device) ?? []), message]);
        hooks?.onSent?.(10);
        const answer = await behave(
          device,
          decodeServerMessage("flwr", Buffer.concat(encodeServerMessage("flwr", message))),
        );
        busy = false;
        changed();
        if (!answer.ok) return answer;
        hooks?.onUpload?.(10);
        const token = {};
        held.add(token);
        return { ok: true, value: { message: answer.value, bytesUp: 10, release: () => held.delete(token) } };
      },
    };
  };
  for (const name of names) sessions.set(name, make(name));
  return {
    sessions: () => [...sessions.values()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onTraining(listener) {
      trainings.add(listener);
      return () => trainings.delete(listener);
    },
    tell(progress) {
      for (const listener of trainings) listener(progress);
    },
    join(device) {
      sessions.set(device, make(device));
      changed();
    },
    leave(device) {
      sessions.delete(device);
      changed();
    },
    asked,
    held,
  };
};

export const OK = { code: 0, message: "" } as const;

/** One float32 vector called w and one batch counter, like a model with BatchNorm in small. */
export const SPECS: readonly ParameterSpec[] = [
  { name: "body.weight", dtype: "float32", shape: [2], kind: "trainable", part: "features" },
  { name: "body.num_batches_tracked", dtype: "int64", shape: [], kind: "buffer", part: "features" },
  { name: "head.weight", dtype: "float32", shape: [1, 2], kind: "trainable", part: "head" },
  { name: "head.bias", dtype: "float32", shape: [1], kind: "trainable", part: "head" },
];

export const counter = (n: bigint): Tensor => ({
  dtype: "int64",
  shape: [],
  bytes: new Uint8Array(BigInt64Array.of(n).buffer),
});

export const weightsOf = (value: number): readonly NamedTensor[] => [
  { name: "body.weight", ...float32Tensor([2], Float32Array.of(value, -value)) },
  { name: "body.num_batches_tracked", ...counter(0n) },
  { name: "head.weight", ...float32Tensor([1, 2], Float32Array.of(value, value)) },
  { name: "head.bias", ...float32Tensor([1], Float32Array.of(value)) },
];

export const fakeModel: Model = {
  name: "tiny",
  numClasses: 2,
  parameters: SPECS,
  initialWeights: () => weightsOf(1),
};

export interface FakeLab extends RunPorts {
  readonly events: LabEventBody[];
  readonly recorded: Map<string, RoundResult[]>;
  readonly files: Map<string, readonly NamedTensor[]>;
}

/** The ports of a run in memory: what was recorded can be handed to a second lab, as after a restart. */
export const fakeLab = (clients: Clients, before?: FakeLab): FakeLab => {
  const events: LabEventBody[] = [];
  const recorded = new Map([...(before?.recorded ?? [])].map(([k, v]) => [k, [...v]]));
  const files = new Map(before?.files ?? []);
  return {
    clients,
    events,
    recorded,
    files,
    checkpoints: {
      async write(runId, round, tensors) {
        files.set(
          `${runId}/${round}`,
          tensors.map((t) => ({ ...t, bytes: t.bytes.slice() })),
        );
        return `${runId}/${round}`;
      },
      async read(path) {
        const tensors = files.get(path);
        if (tensors === undefined) throw new Error(`no file ${path}`);
        return { tensors, metadata: {} };
      },
    },
    history: {
      rounds: (runId) => recorded.get(runId) ?? [],
      last(runId) {
        const last = recorded.get(runId)?.at(-1);
        return last && { round: last.round, checkpoint: `${runId}/${last.round}` };
      },
    },
    evaluate: undefined,
    async weightsSha256(tensors) {
      const hash = createHash("sha256");
      for (const t of tensors) hash.update(t.bytes);
      return hash.digest("hex");
    },
    emit: (event) => events.push(event),
    recordRound(runId, result) {
      recorded.set(runId, [...(recorded.get(runId) ?? []), result]);
      const { updates: _, evaluations: __, ...summary } = result;
      events.push({ kind: "round-ended", run: runId, result: summary });
    },
    now: () => performance.now(),
    timestamp: () => new Date().toISOString(),
  };
};

/** A study's controls, and how a person works them. */
export const control = (): Control & { stopAfterRound(): void; abort(reason?: unknown): void } => {
  const [afterRound, now] = [new AbortController(), new AbortController()];
  return {
    afterRound: afterRound.signal,
    now: now.signal,
    stopAfterRound: () => afterRound.abort(),
    abort: (reason) => now.abort(reason),
  };
};
