import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import type { BoardAction } from "#contract/boards.ts";
import { createClientOutput } from "#main/boards/launch/client-output.ts";
import { lastErrorOf, progressOf, readable } from "#main/boards/launch/client-words.ts";
import { containerOptions } from "#main/boards/launch/container.ts";
import { createLogReader } from "#main/boards/launch/container-log.ts";
import { type ClientEnd, diagnose, isFinal } from "#main/boards/launch/diagnose.ts";

const context = { device: "pi-1", batchSize: 50, memoryBytes: 4e9 };
const end = (more: Partial<ClientEnd>): ClientEnd => ({
  how: "exited",
  oomKilled: false,
  lastLines: [],
  ...more,
});
const codeOf = (more: Partial<ClientEnd>) => diagnose(end(more), context).code;
const does = (actions: readonly BoardAction[] = []) => actions.map((action) => action.do);

describe("why a client ended", () => {
  it.each([
    [2, "bad-configuration"],
    [10, "data-missing"],
    [11, "data-damaged"],
    [12, "server-lost"],
    [13, "cuda-out-of-memory"],
    [14, "out-of-memory"],
    [15, "gpu-missing"],
    [125, "client-exited"],
    [126, "client-exited"],
    [127, "client-exited"],
    [132, "cpu-unsuited"],
    [137, "client-killed"],
    [143, "client-killed"],
    [0, "client-exited"],
    [1, "client-exited"],
    [139, "client-exited"],
  ] as const)("exit code %i is %s, with a cause, a next step and a button", (exitCode, code) => {
    const problem = diagnose(end({ exitCode }), context);
    expect(problem.code).toBe(code);
    for (const text of [problem.title, problem.cause, problem.next]) expect(text).toMatch(/^[A-Z].{10,}/s);
    expect(problem.title).not.toMatch(/\.$/);
    expect(problem.actions).not.toHaveLength(0);
  });

  it("the engine's and the kernel's word on memory goes before the exit code", () => {
    const problem = diagnose(end({ exitCode: 137, oomKilled: true }), context);
    expect(problem).toMatchObject({ code: "out-of-memory", title: "The board ran out of memory" });
    expect(problem.cause).toContain("batch size 50");
    expect(problem.cause).toContain("4.0 GB");
    expect(problem.actions).toContainEqual({
      do: "lower-batch-size",
      batchSize: 25,
      label: "Lower the batch size to 25",
    });
  });

  it("a batch of one cannot be lowered", () => {
    const { actions } = diagnose(end({ exitCode: 13 }), { ...context, batchSize: 1 });
    expect(does(actions)).not.toContain("lower-batch-size");
  });

  it("names the others that could go on", () => {
    const { actions } = diagnose(end({ exitCode: 137 }), { ...context, others: 3 });
    expect(actions).toContainEqual({ do: "start-without", label: "Start with 3" });
    expect(does(diagnose(end({ exitCode: 137 }), { ...context, others: 0 }).actions)).not.toContain(
      "start-without",
    );
  });

  it("takes the client's own words where it has some, the last line else", () => {
    const lines = ['{"event":"error","code":10,"message":"x.npy is missing","next":"Send it."}', "bye"];
    expect(diagnose(end({ exitCode: 10, lastLines: lines }), context)).toMatchObject({
      cause: "x.npy is missing",
      next: "Send it.",
      raw: "bye",
    });
    expect(
      diagnose(
        end({ exitCode: 1, lastLines: ["Traceback", "KeyError: 'a'", '{"event":"stopped"}'] }),
        context,
      ),
    ).toMatchObject({ code: "client-exited", raw: "KeyError: 'a'" });
  });

  it("tells an engine, a removed container and a lost connection apart", () => {
    expect(codeOf({ how: "engine-stopped", exitCode: 137 })).toBe("docker-stopped");
    expect(codeOf({ how: "removed" })).toBe("client-killed");
    expect(codeOf({ how: "connection-lost" })).toBe("connection-lost");
  });

  it("gives up only what does not mend itself", () => {
    const final = [0, 1, 2, 10, 11, 12, 13, 14, 15, 132, 137, 143].filter((exitCode) =>
      isFinal(diagnose(end({ exitCode }), context)),
    );
    expect(final).toEqual([2, 132]);
  });
});

const piece = (stream: 1 | 2, text: string): Buffer => {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
};
const STAMP = "2026-11-24T10:00:00.123456789Z";

describe("a container's log", () => {
  const read = (chunks: Buffer[], after?: string) => {
    const lines: string[] = [];
    const reader = createLogReader((stream, text) => lines.push(`${stream} ${text}`), after);
    for (const chunk of chunks) reader.push(chunk);
    reader.end();
    return { lines, latest: reader.latest };
  };
  const log = Buffer.concat([
    piece(1, `${STAMP} first\n`),
    piece(2, `2026-11-24T10:00:01.5Z wärning\r\n`),
    piece(1, `2026-11-24T10:00:02Z a long `),
    piece(1, `2026-11-24T10:00:02Z line\n`),
    piece(1, `2026-11-24T10:00:03Z no end`),
  ]);
  const lines = ["stdout first", "stderr wärning", "stdout a long line", "stdout no end"];

  it("is the same however it is cut into chunks", () => {
    expect(read([log])).toEqual({ lines, latest: "2026-11-24T10:00:03Z" });
    for (const size of [1, 3, 7, 64]) {
      const chunks = Array.from({ length: Math.ceil(log.length / size) }, (_, i) =>
        log.subarray(i * size, (i + 1) * size),
      );
      expect(read(chunks).lines).toEqual(lines);
    }
  });

  it("goes on after what was read before, to the nanosecond", () => {
    expect(read([log], "2026-11-24T10:00:01.5Z").lines).toEqual(lines.slice(2));
    expect(read([log], "2026-11-24T10:00:00.1234567Z").lines).toEqual(lines);
    expect(read([log], STAMP).lines).toEqual(lines.slice(1));
  });

  it("takes any bytes in any chunks, and gives the same for each way of cutting them", () => {
    const frame = fc
      .tuple(fc.constantFrom(0, 1, 2, 9), fc.uint8Array({ maxLength: 40 }), fc.boolean())
      .map(([stream, text, stamped]) =>
        piece(stream as 1, `${stamped ? `${STAMP} ` : ""}${Buffer.from(text).toString("latin1")}\n`),
      );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all)),
      fc
        .tuple(fc.array(frame), fc.uint8Array({ maxLength: 20 }))
        .map(([frames, rest]) => Buffer.concat([...frames, rest])),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(300)), (all, cuts) => {
        const at = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length];
        const chunks = at.slice(1).map((to, i) => all.subarray(at[i], to));
        expect(read(chunks)).toEqual(read([all]));
        for (const line of read(chunks).lines) expect(line.length).toBeLessThan(4100);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps little of a piece that says it is endless, and goes on after it", () => {
    const endless = piece(1, `${STAMP} ${"x".repeat(1_000_000)}`);
    const chunks = Array.from({ length: 100 }, (_, i) =>
      endless.subarray((i * endless.length) / 100, ((i + 1) * endless.length) / 100),
    );
    const { lines: cut } = read([...chunks, piece(1, `${STAMP} \n`), piece(2, `${STAMP} after\n`)]);
    expect(cut).toHaveLength(2);
    expect(cut[0]!.length).toBeLessThan(4100);
    expect(cut[1]).toBe("stderr after");
    const head = Buffer.from([1, 0, 0, 0, 255, 255, 255, 255]);
    expect(read([head, ...Array.from({ length: 50 }, () => Buffer.alloc(1 << 20))]).lines).toHaveLength(1);
  });

  it("cuts a line that has no end in sight", () => {
    const long = Array.from({ length: 40 }, () => piece(1, `${STAMP} ${"x".repeat(16_000)}`));
    const { lines: cut } = read([...long, piece(1, `${STAMP} end\n`)]);
    expect(cut).toHaveLength(1);
    expect(cut[0]!.length).toBeLessThan(4100);
  });
});

test("progress is told apart from other words, and kept within its bounds", () => {
  expect(progressOf('{"event": "progress", "run": "r1", "round": 3, "fraction": 1.2, "loss": null}')).toEqual(
    {
      run: "r1",
      round: 3,
      fraction: 1,
    },
  );
  for (const line of [
    "",
    "progress",
    "{broken",
    '{"event":"fit"}',
    '{"event":"progress","run":1,"round":1,"fraction":1}',
    '{"event":"progress","run":"r","round":1.5,"fraction":1}',
    '{"event":"progress","run":"r","round":1}',
  ]) {
    expect(progressOf(line)).toBeUndefined();
  }
});

test("whatever a client prints is a word or none, never an error", () => {
  const wild = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.json().map((json) => `{"event":"progress","run":${json},"round":${json},"fraction":${json}}`),
    fc.json().map((json) => `{"event":"error","code":${json},"message":${json},"next":${json}}`),
  );
  fc.assert(
    fc.property(fc.array(wild), (lines) => {
      for (const line of lines) {
        const progress = progressOf(line);
        if (progress !== undefined) {
          expect(progress.fraction).toBeGreaterThanOrEqual(0);
          expect(progress.fraction).toBeLessThanOrEqual(1);
        }
        readable(line);
      }
      const said = lastErrorOf(lines);
      if (said !== undefined) expect(said.message).toBeTypeOf("string");
      const { cause, next } = diagnose(end({ exitCode: 10, lastLines: lines }), context);
      expect([typeof cause, typeof next]).toEqual(["string", "string"]);
    }),
  );
});

test("a line that says nothing is none; what is for a terminal is left out", () => {
  const esc = String.fromCharCode(27);
  for (const empty of [
    "",
    "  ",
    "INFO :      ",
    `${esc}[92mINFO ${esc}[0m:      `,
    "WARNING :   ",
    `${esc}[0m`,
  ]) {
    expect(readable(empty)).toBeUndefined();
  }
  expect(readable(`${esc}[92mINFO ${esc}[0m:      Received: train message`)).toBe(
    "INFO :      Received: train message",
  );
  expect(readable('  File "a.py", line 3')).toBe('  File "a.py", line 3');
  expect(readable("INFO: starting")).toBe("INFO: starting");
  expect(readable('{"event":"ready"}')).toBe('{"event":"ready"}');
});

describe("what a client prints", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const listen = (limits: { perSecond?: number; atOnce?: number } = {}) => {
    const lines: string[] = [];
    const progress: number[] = [];
    const output = createClientOutput({
      ...limits,
      onLine: ({ stream, text }) => lines.push(`${stream} ${text}`),
      onProgress: ({ fraction }) => progress.push(fraction),
    });
    return { output, lines, progress };
  };
  const said = (fraction: number) => `{"event":"progress","run":"r","round":1,"fraction":${fraction}}`;

  it("is bounded, and nothing of it is left out in silence", () => {
    const { output, lines } = listen({ perSecond: 100, atOnce: 10 });
    for (let i = 0; i < 25; i++) output.line("stdout", `${i}`);
    expect(lines).toHaveLength(10);
    vi.advanceTimersByTime(1100);
    expect(lines.at(-1)).toBe("lab 15 lines were left out here: the client prints more than 100 a second");
    for (let i = 0; i < 11; i++) output.line("stderr", `${i}`);
    expect(lines).toHaveLength(21);
    output.behind();
    output.line("stderr", "Traceback", true);
    expect(lines.slice(-2)).toEqual([
      "lab at least 1 line was left out here: the client prints more than 100 a second",
      "stderr Traceback",
    ]);
    output.end();
    expect(lines).toHaveLength(23);
  });

  it("progress is merged; the latest is never lost", () => {
    const { output, lines, progress } = listen();
    for (let i = 0; i <= 1000; i++) output.line("stdout", said(i / 1000));
    expect(progress).toEqual([0]);
    vi.advanceTimersByTime(150);
    expect(progress).toEqual([0, 1]);
    output.line("stdout", said(0.1));
    output.line("stdout", said(0.2));
    output.end();
    expect(progress.at(-1)).toBe(0.2);
    expect(lines).toEqual([]);
    output.line("stderr", said(0.5));
    expect(lines).toHaveLength(1);
  });
});

describe("a container", () => {
  const client = {
    lab: "l",
    study: "s",
    run: "r",
    device: "Jetson-7",
    image: "i:1",
    gpu: true,
    arguments: ["--cid", "Jetson-7"],
    way: { kind: "socket" },
    user: "1000:1000",
    groups: ["44"],
    folders: { run: "/r", data: "/my data", parts: "/p", state: "/s" },
    mark: "abc",
    init: false,
  } as const;

  it("with a GPU gets the runtime, the groups of its devices, and no more", () => {
    const { Env, HostConfig, User, name, Cmd } = containerOptions(client);
    expect(name).toBe("fedfleet-Jetson-7-abc");
    expect(Cmd).toEqual(["--server-address", "unix:/fedfleet/run/s:1", "--cid", "Jetson-7"]);
    expect(User).toBe("1000:1000");
    expect(Env).toContain("NVIDIA_DRIVER_CAPABILITIES=compute,utility");
    expect(Env!.join()).not.toContain("TOKEN");
    expect(HostConfig).toMatchObject({
      Runtime: "nvidia",
      GroupAdd: ["44"],
      NetworkMode: "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      RestartPolicy: { Name: "no" },
    });
    expect(HostConfig).not.toHaveProperty("Init");
    expect(HostConfig).not.toHaveProperty("Memory");
    expect(HostConfig!.Mounts!.filter(({ ReadOnly }) => !ReadOnly).map(({ Target }) => Target)).toEqual([
      "/fedfleet/state",
    ]);
  });

  it("without one asks for none", () => {
    const { Env, HostConfig } = containerOptions({ ...client, gpu: false, groups: [], init: true });
    expect(Env!.join()).not.toContain("NVIDIA");
    expect(HostConfig).not.toHaveProperty("Runtime");
    expect(HostConfig).not.toHaveProperty("GroupAdd");
    expect(HostConfig).toMatchObject({ Init: true });
  });
});
