import { afterEach, expect, test } from "vitest";
import type { LabEventBody } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import { conductStudy } from "#main/runs/conduct-study.ts";
import type { Control } from "#main/runs/ports.ts";
import { createQueue } from "#main/runs/queue.ts";
import { fakeClients, fakeLab, fakeModel, OK } from "#test/fakes/lab.ts";
import { sampleEngine, sampleStudy } from "#test/main/store/samples.ts";

const until = async (what: () => boolean): Promise<void> => {
  const deadline = performance.now() + 10_000;
  while (!what()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

/** Real conductors of studies with two runs of three rounds each, on fake devices. */
const openQueue = (options: { rounds?: number; trainMs?: number; devices?: string[] } = {}) => {
  const { rounds = 3, trainMs = 5, devices = ["external-1", "external-2"] } = options;
  const records = new Map<string, { status: string; reason?: string }>();
  const problems: [string, unknown][] = [];
  const broken = new Map<string, unknown>();
  const clients = fakeClients(devices, async (_, message) => {
    await new Promise((resolve) => setTimeout(resolve, trainMs));
    if (message.kind !== "fit") throw new Error(message.kind);
    return {
      ok: true,
      value: { kind: "fit", status: OK, parameters: message.parameters, examples: 1, metrics: {} },
    };
  });
  const lab = fakeLab(clients);
  const events = lab.events;
  const emit = (event: LabEventBody) => {
    events.push(event);
    if (event.kind === "study-started" || event.kind === "study-resumed")
      records.set(event.study, { status: "running" });
    if (event.kind === "study-ended") {
      const { status, reason } = event;
      records.set(event.study, { status, ...(reason === undefined ? {} : { reason }) });
    }
  };
  const study = sampleStudy({
    dataset: "on-clients",
    fleet: { external: 2 },
    evaluation: { central: false },
    trials: 1,
    rounds,
  });
  let conducting = 0;
  const conduct = async (id: string, control: Control) => {
    if (++conducting > 1) throw new Error("two at once");
    try {
      if (broken.has(id)) throw broken.get(id);
      return await conductStudy(
        {
          id,
          study,
          runs: study.algorithms.map((algorithm) => ({
            id: `${id}/${algorithm}`,
            algorithm,
            trial: 1,
            seed: 1,
            status: events.findLast((e) => e.kind === "run-ended" && e.run === `${id}/${algorithm}`)
              ? "done"
              : "waiting",
          })),
          model: fakeModel,
          engine: sampleEngine,
          resumed: records.get(id)?.status === "interrupted",
        },
        { ...lab, emit },
        control,
      );
    } finally {
      conducting -= 1;
    }
  };
  const queue = createQueue({
    conduct,
    record: (id) => records.get(id),
    emit,
    onProblem: (id, error) => problems.push([id, error]),
  });
  const add = (id: string) => {
    records.set(id, { status: "waiting" });
    return queue.start(id);
  };
  const roundsOf = (id: string) =>
    events.filter((e) => e.kind === "round-ended" && e.run.startsWith(`${id}/`) && e.result.round > 0).length;
  const ends = () =>
    events.flatMap((e) =>
      e.kind === "study-ended" ? [[e.study, e.status, ...(e.reason ? [e.reason] : [])].join(" ")] : [],
    );
  return { queue, add, records, problems, broken, events, roundsOf, ends };
};
let opened: ReturnType<typeof openQueue> | undefined;
const open: typeof openQueue = (options) => {
  opened = openQueue(options);
  return opened;
};
afterEach(async () => {
  await opened?.queue.close();
});

test("studies that are started together are conducted one after the other, in order", async () => {
  const { queue, add, ends } = open();
  expect(add("a")).toEqual({ study: "a", phase: "starting", queue: [] });
  expect(add("b")).toMatchObject({ study: "a", queue: ["b"] });
  expect(add("c")).toMatchObject({ study: "a", queue: ["b", "c"] });
  await until(() => queue.activity().study === undefined);
  expect(ends()).toEqual(["a done", "b done", "c done"]);
  expect(queue.activity()).toEqual({ queue: [] });
});

test("pause ends the round in progress, then nothing happens until resume", async () => {
  const { queue, add, roundsOf, events, ends } = open({ rounds: 6 });
  const phases: unknown[] = [];
  queue.onChange(({ phase }) => phases.push(phase));
  add("a");
  await until(() => roundsOf("a") === 2);
  expect(queue.pause("a").phase).toBe("pausing");
  await until(() => queue.activity().phase === "paused");
  const before = events.length;
  expect(events.at(-1)).toEqual({ kind: "study-paused", study: "a" });
  expect(events.at(-2)?.kind).toBe("round-ended");
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(events).toHaveLength(before);
  expect(queue.resume("a").phase).toBe("running");
  await until(() => queue.activity().study === undefined);
  expect(events[before]).toEqual({ kind: "study-continued", study: "a" });
  expect(roundsOf("a")).toBe(12);
  expect(ends()).toEqual(["a done"]);
  expect(phases).toEqual(["starting", "running", "pausing", "paused", "running", undefined]);
});

test("pause and resume before the round has ended is as if nothing had been", async () => {
  const { queue, add, roundsOf, events } = open();
  add("a");
  await until(() => roundsOf("a") === 1);
  queue.pause("a");
  queue.resume("a");
  await until(() => queue.activity().study === undefined);
  expect(roundsOf("a")).toBe(6);
  expect(events.some((e) => e.kind === "study-paused" || e.kind === "study-continued")).toBe(false);
});

test("pause between two runs holds the second one up before it begins", async () => {
  const { queue, add, events, roundsOf } = open({ rounds: 2 });
  add("a");
  await until(() => roundsOf("a") === 1);
  await until(() => events.findLast((e) => e.kind === "round-started")?.round === 2);
  queue.pause("a");
  await until(() => queue.activity().phase === "paused");
  expect(events.map((e) => e.kind).slice(-2)).toEqual(["run-ended", "study-paused"]);
});

test("a study that waits for devices pauses without them", async () => {
  const { queue, add, ends } = open({ devices: ["external-1"] });
  add("a");
  await until(() => queue.activity().phase === "running");
  queue.pause("a");
  await until(() => queue.activity().phase === "paused");
  queue.stopAfterRound("a");
  await until(() => queue.activity().study === undefined);
  expect(ends()).toEqual(["a interrupted stopped after a round"]);
});

test.each(["stopAfterRound", "stopNow"] as const)(
  "%s ends a paused study, and it can be resumed",
  async (stop) => {
    const { queue, add, roundsOf, ends, events } = open();
    add("a");
    await until(() => roundsOf("a") === 1);
    queue.pause("a");
    await until(() => queue.activity().phase === "paused");
    const done = roundsOf("a");
    queue[stop]("a");
    await until(() => queue.activity().study === undefined);
    expect(roundsOf("a")).toBe(done);
    expect(ends()[0]).toMatch(/^a interrupted stopped/);
    expect(events.some((e) => e.kind === "study-continued")).toBe(false);
    queue.resume("a");
    await until(() => ends().length === 2 && queue.activity().study === undefined);
    expect(events.some((e) => e.kind === "study-resumed")).toBe(true);
  },
);

test("stop now loses the round in progress, stop after the round keeps it", async () => {
  const { queue, add, roundsOf, ends, events } = open({ trainMs: 60, rounds: 5 });
  const inRound = (round: number) => events.findLast((e) => e.kind === "round-started")?.round === round;
  add("a");
  await until(() => inRound(2));
  queue.stopNow("a");
  await until(() => queue.activity().study === undefined);
  expect(roundsOf("a")).toBe(1);
  add("b");
  await until(() =>
    events.some((e) => e.kind === "round-started" && e.run.startsWith("b/") && e.round === 2),
  );
  queue.stopAfterRound("b");
  await until(() => queue.activity().study === undefined);
  expect(roundsOf("b")).toBe(2);
  expect(ends()).toEqual(["a interrupted stopped immediately", "b interrupted stopped after a round"]);
});

test("an interrupted study that is resumed while another runs waits its turn", async () => {
  const { queue, add, ends, roundsOf } = open();
  add("a");
  await until(() => roundsOf("a") === 1);
  queue.stopNow("a");
  expect(queue.resume("a")).toMatchObject({ study: "a", phase: "stopping-now", queue: ["a"] });
  await until(() => ends().length === 2);
  expect(ends()).toEqual(["a interrupted stopped immediately", "a done"]);
});

test("what cannot be equipped says why, keeps the reason, and the next one gets its turn", async () => {
  const { queue, add, broken, ends, problems, records } = open();
  const why = new UserError("dataset: cifar10 is not on this computer; download it");
  broken.set("a", why);
  add("a");
  add("b");
  await until(() => queue.activity().study === undefined);
  expect(ends()).toEqual([`a interrupted ${why.message}`, "b done"]);
  expect(problems).toEqual([["a", why]]);
  expect(records.get("a")).toEqual({ status: "interrupted", reason: why.message });
});

test("who waits in the queue can be taken out of it, who runs cannot be", async () => {
  const { queue, add, ends } = open();
  add("a");
  add("b");
  expect(queue.drop("a")).toBe(false);
  expect(queue.drop("b")).toBe(true);
  expect(() => queue.pause("b")).toThrow("not running");
  await until(() => queue.activity().study === undefined);
  expect(ends()).toEqual(["a done"]);
});

test("closing stops what runs, says of what waited that it never began, and starts nothing more", async () => {
  const { queue, add, roundsOf, ends } = open({ rounds: 100 });
  add("a");
  add("b");
  await until(() => roundsOf("a") === 1);
  await queue.close();
  expect(ends()).toEqual([
    "b interrupted the lab was closed before this study started",
    "a interrupted stopped immediately",
  ]);
  expect(queue.activity()).toEqual({ queue: [] });
  expect(() => add("c")).toThrow("closing");
});
