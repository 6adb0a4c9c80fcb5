import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BoardFacts } from "#contract/boards.ts";
import { parseProbe } from "#main/boards/probe/parse-probe.ts";

const FOLDER = fileURLToPath(new URL("./fixtures/", import.meta.url));
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".txt"))
  .map((file) => file.slice(0, -".txt".length));
const fixture = (name: string): string => readFileSync(`${FOLDER}${name}.txt`, "utf8");

/** Composed answers: the board's clock says 1760000000 when it begins and 1.25 s more when it ends; 50 ms each way. */
const COMPOSED = {
  at: "2025-10-09T08:53:21.300Z",
  sentAtMs: 1_759_999_999_950,
  receivedAtMs: 1_760_000_001_300,
};
const RECORDED: Readonly<Record<string, { sentAtMs: number; receivedAtMs: number }>> = {
  "x86-debian-12-stopped": { sentAtMs: 1_795_541_860_879, receivedAtMs: 1_795_541_860_969 },
  "x86-debian-12-docker": { sentAtMs: 1_795_541_861_220, receivedAtMs: 1_795_541_861_364 },
  "x86-debian-12-denied": { sentAtMs: 1_795_541_861_365, receivedAtMs: 1_795_541_861_488 },
  "x86-busybox-only": { sentAtMs: 1_795_541_862_400, receivedAtMs: 1_795_541_862_600 },
};
const parse = (name: string): BoardFacts => parseProbe(fixture(name), { ...COMPOSED, ...RECORDED[name] });

/** "base python flwr gpu", or why not. */
const recipe = ({ recipe: chosen, unsupported }: BoardFacts): string =>
  chosen
    ? `${chosen.dockerfile} ${chosen.base} ${chosen.python} ${chosen.flwr} ${chosen.gpu ? "gpu" : "cpu"}`
    : (unsupported ?? "nothing said");

const CPU = "Dockerfile.pi debian:bookworm-slim 3.11 1.11.1 cpu";
const R35 = "Dockerfile.jetson dustynv/l4t-pytorch:r35.4.1 3.8 1.11.1 gpu";
const R36 = "Dockerfile.jetson dustynv/l4t-pytorch:r36.2.0 3.10 1.11.1 gpu";
const R364 = "Dockerfile.jetson dustynv/l4t-pytorch:r36.4.0 3.10 1.11.1 gpu";

/** What each board gets, what its engine is up to, and what a person is told. */
const BOARDS: readonly (readonly [
  string,
  string | RegExp,
  BoardFacts["docker"]["state"],
  BoardFacts["sudo"],
  string,
])[] = [
  ["jetson-nano-r32.7.1", CPU, "ready", "password", "gpu-unused docker-old"],
  ["jetson-tx2-r32.7.6", CPU, "ready", "password", "gpu-unused power-mode"],
  ["jetson-xavier-nx-r35.4.1", R35, "ready", "password", "power-mode"],
  ["jetson-agx-orin-r35.3.1", R35, "ready", "free", ""],
  ["jetson-orin-nano-r35.3.1", R35, "ready", "password", "nvidia-runtime-missing disk-low power-mode"],
  ["jetson-agx-orin-r36.2.0", R36, "ready", "password", "power-mode"],
  ["jetson-orin-nx-r36.3.0", R36, "missing", "password", "docker-28-kernel power-mode"],
  ["jetson-orin-nano-super-r36.4.3", R364, "ready", "password", "docker-28-kernel power-mode"],
  ["jetson-orin-nano-super-r36.4.7", R364, "denied", "password", ""],
  ["jetson-thor-r38.2.0", CPU, "ready", "password", "gpu-unused"],
  ["jetson-agx-orin-r39.2.0", CPU, "ready", "password", "gpu-unused"],
  ["jetson-xavier-yocto", CPU, "ready", "root", "gpu-unused"],
  [
    "pi-3b-plus-bookworm",
    CPU,
    "missing",
    "free",
    "memory-low memory-limits-off undervoltage-since-boot throttled-since-boot",
  ],
  [
    "pi-4-bullseye-32-bit",
    /kernel is 64-bit, but the installed system is 32-bit.*Flash the 64-bit Raspberry Pi OS/,
    "ready",
    "free",
    "memory-limits-off",
  ],
  ["pi-4-bookworm", CPU, "ready", "free", "memory-limits-off undervoltage throttled"],
  ["pi-4-ubuntu-24.04", CPU, "ready", "free", ""],
  ["pi-4-cut-off", CPU, "ready", "none", "incomplete"],
  ["pi-5-bookworm", CPU, "ready", "free", "memory-limits-off"],
  ["pi-5-trixie", CPU, "stopped", "password", "throttled clock-skew"],
  ["pi-5-no-docker-program", CPU, "stopped", "free", ""],
  [
    "pi-zero-w-bullseye",
    /32-bit \(armv6l\).*older ones cannot take part/,
    "missing",
    "free",
    "memory-low memory-limits-off",
  ],
  ["alpine-3.20-pi-4", CPU, "ready", "root", ""],
  ["german-banner-bookworm", CPU, "denied", "none", "disk-low memory-low"],
  ["vm-ubuntu-22.04-arm64-snap", CPU, "ready", "free", "docker-snap"],
  ["x86-debian-11-no-docker", CPU, "missing", "none", ""],
  ["x86-debian-12-docker", CPU, "ready", "password", ""],
  ["x86-debian-12-denied", CPU, "denied", "none", ""],
  ["x86-debian-12-stopped", CPU, "stopped", "password", ""],
  ["x86-busybox-only", CPU, "missing", "root", ""],
  ["x86-ubuntu-24.04-rootless", CPU, "ready", "password", ""],
  ["x86-ubuntu-25.10-tcp-host", CPU, "ready", "password", "docker-host-ignored"],
  ["x86-fedora-podman", CPU, "missing", "password", "podman"],
  ["x86-i686-debian-12", /32-bit system \(i686\)/, "missing", "password", ""],
  ["riscv-visionfive-2", /no client image for riscv64/, "missing", "password", ""],
  ["garbage", /no client image for quantum processors/, "missing", "none", "incomplete"],
];

describe("what a board is and gets", () => {
  test("every recorded and composed answer has its row", () => {
    expect(BOARDS.map(([name]) => name).toSorted()).toEqual(names.toSorted());
  });

  test.each(BOARDS)("%s", (name, wanted, docker, sudo, warnings) => {
    const facts = parse(name);
    if (typeof wanted === "string") expect(recipe(facts)).toBe(wanted);
    else expect(recipe(facts)).toMatch(wanted);
    expect(facts.docker.state).toBe(docker);
    expect(facts.sudo).toBe(sudo);
    expect(facts.warnings.map(({ code }) => code).join(" ")).toBe(warnings);
    for (const { text, next } of facts.warnings) {
      expect(text).toMatch(/[.”]$/);
      expect(next).toMatch(/\.$/);
    }
  });

  test("every other fact, exactly", () => {
    const expected = JSON.parse(readFileSync(`${FOLDER}expected.json`, "utf8")) as unknown;
    const found = Object.fromEntries(
      names.map((name) => {
        const { at: _, warnings: __, ...facts } = parse(name);
        return [name, facts];
      }),
    );
    expect(found).toEqual(expected);
  });

  test("warnings name the file, the place and the numbers", () => {
    const said = (name: string, code: string): string => {
      const warning = parse(name).warnings.find((one) => one.code === code);
      return `${warning?.text} ${warning?.next}`;
    };
    expect(said("pi-5-bookworm", "memory-limits-off")).toContain(
      "Append ` cgroup_enable=memory cgroup_memory=1` to the single line of /boot/firmware/cmdline.txt",
    );
    expect(said("pi-zero-w-bullseye", "memory-limits-off")).toContain("line of /boot/cmdline.txt");
    expect(said("pi-5-trixie", "clock-skew")).toContain("41 days behind");
    expect(said("german-banner-bookworm", "disk-low")).toContain(
      "3.0 GB; 2.5 GB are free at /var/lib/docker",
    );
    expect(said("pi-3b-plus-bookworm", "memory-low")).toMatch(/0\.6 GB.*Net with a small batch size/);
    expect(said("jetson-nano-r32.7.1", "gpu-unused")).toMatch(/Python 3\.6.*no later JetPack/);
    expect(said("jetson-thor-r38.2.0", "gpu-unused")).toMatch(/JetPack 7 \(L4T r38\)/);
    expect(said("x86-ubuntu-25.10-tcp-host", "docker-host-ignored")).toContain("tcp://10.0.0.9:2375");
  });
});

describe("the clock", () => {
  const at = (began: string, ended: string, sentAtMs: number, receivedAtMs: number): number =>
    parseProbe(`fedfleet-probe 1\n= clock 0\n ${began}\n= clock-end 0\n ${ended}\n= end 0\n`, {
      at: COMPOSED.at,
      sentAtMs,
      receivedAtMs,
    }).clockSkewMs;

  test("half of what the way took is taken off, and what the board worked is no way", () => {
    // 8 s of work, 200 ms there and 200 ms back, the board 3 s ahead
    expect(at("1000003.200000000", "1000011.200000000", 1_000_000_000, 1_000_008_400)).toBe(3000);
    expect(at("999997.200000000", "1000005.200000000", 1_000_000_000, 1_000_008_400)).toBe(-3000);
  });

  test("a clock of whole seconds is right to half of one", () => {
    expect(Math.abs(at("1000000.%N", "1000001.%N", 1_000_000_000, 1_000_001_000))).toBeLessThanOrEqual(500);
    expect(Math.abs(at("1000000", "1000001", 1_000_000_000, 1_000_001_000))).toBeLessThanOrEqual(500);
  });

  test("a clock that was set meanwhile, or none, is no reason to fail", () => {
    expect(at("1000000.5", "5.5", 1_000_000_000, 1_000_001_000)).toBe(0);
    expect(at("now", "then", 1_000_000_000, 1_000_001_000)).toBe(0);
  });
});

test("DOCKER_HOST of a rootless engine decides which socket is used", () => {
  expect(parse("x86-ubuntu-24.04-rootless").docker.socket).toBe("/run/user/1000/docker.sock");
});

test("an answer that is cut off anywhere, changed anywhere or of any bytes is read without an error", () => {
  const texts = names.map(fixture);
  const anything = (text: string): void => {
    const facts = parseProbe(text, COMPOSED);
    expect(Number.isFinite(facts.clockSkewMs + facts.memoryBytes + facts.cores + facts.disk.freeBytes)).toBe(
      true,
    );
    expect(facts.recipe === undefined).toBe(facts.unsupported !== undefined);
    expect(facts.model.length).toBeLessThanOrEqual(240);
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true }),
          gone: fc.nat({ max: 60 }),
          put: fc.oneof(
            fc.string({ maxLength: 30, unit: "binary" }),
            fc.constantFrom(
              "\n",
              "\n= model 0\n ",
              "= end 0",
              "{",
              '"',
              "\0",
              "999999999999999999",
              "-1",
              "__proto__",
            ),
          ),
        }),
        { maxLength: 6 },
      ),
      (text, end, changes) => {
        let changed = text.slice(0, Math.ceil(text.length * end));
        for (const { at, gone, put } of changes) {
          const from = Math.floor(changed.length * at);
          changed = changed.slice(0, from) + put + changed.slice(from + gone);
        }
        anything(changed);
      },
    ),
    { numRuns: 3000 },
  );
  fc.assert(fc.property(fc.string({ maxLength: 400, unit: "binary" }), anything), { numRuns: 500 });
});
