import { describe, expect, it, test } from "vitest";
import type { BoardAction } from "#contract/boards.ts";
import { progressOf } from "#main/fleet/launch/client-words.ts";
import { containerOptions } from "#main/fleet/launch/container.ts";
import { createLogReader } from "#main/fleet/launch/container-log.ts";
import { type ClientEnd, diagnose, isFinal } from "#main/fleet/launch/diagnose.ts";

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

  it("cuts a line that has no end in sight", () => {
    const long = Array.from({ length: 40 }, () => piece(1, `${STAMP} ${"x".repeat(16_000)}`));
    const { lines: cut } = read([...long, piece(1, `${STAMP} end\n`)]);
    expect(cut).toHaveLength(1);
    expect(cut[0]!.length).toBeLessThan(17_000);
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
