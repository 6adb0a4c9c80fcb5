import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TelemetryPoint } from "#contract/boards.ts";
import { createPulse, readPulse } from "#main/boards/telemetry/pulse.ts";

const AT = new Date("2026-01-02T03:04:05.678Z");
const read = (line: string): TelemetryPoint | undefined => readPulse(line, AT);

describe("a line", () => {
  test("of a PC, as it was recorded", () => {
    expect(read("pulse cpu=15 mt=25276502016 ma=24539623424 disk=77512482816")).toEqual({
      at: "2026-01-02T03:04:05.678Z",
      cpu: 0.015,
      memoryBytes: 25_276_502_016,
      memoryUsedBytes: 736_878_592,
      diskFreeBytes: 77_512_482_816,
    });
  });

  test("of a Jetson", () => {
    expect(read("pulse cpu=412 mt=7990059008 ma=4507660288 t=61500 mw=9876 gpu=987")).toEqual({
      at: "2026-01-02T03:04:05.678Z",
      cpu: 0.412,
      memoryBytes: 7_990_059_008,
      memoryUsedBytes: 3_482_398_720,
      temperature: 61.5,
      power: 9.876,
      gpu: 0.987,
    });
  });

  test("of a Raspberry Pi 5: volts times amperes of each rail that has both", () => {
    const adc =
      ",3V7_WL_SW_A:0.09710770A,VDD_CORE_A:1.50000000A,EXT5V_V:5.14100000V,3V7_WL_SW_V:3.70000000V,VDD_CORE_V:0.80000000V";
    const point = read(`pulse t=48850 thr=0x50005 adc=${adc}`);
    expect(point?.power).toBeCloseTo(0.0971077 * 3.7 + 1.5 * 0.8, 3);
    expect(point?.throttling).toEqual(["undervoltage", "throttled"]);
    expect(read("pulse thr=0x50000")?.throttling).toEqual([]);
  });

  test.each([
    ["", "empty"],
    ["pulse", "nothing that the board tells"],
    ["Last login: Mon Oct 6", "of a login shell"],
    ["pulse t=-256000 gpu=5000 cpu=1001 mt=0", "values that cannot be"],
    ["pulse t=61500.5 mt=0x10 cpu=1e2 gpu=+1", "numbers that are none"],
    [`pulse t=1${"0".repeat(5000)}`, "too long"],
    ["pulse __proto__=1 constructor=2 toString=3", "names of an object's own"],
  ])("%j tells nothing: %s", (line) => {
    expect(read(line)).toBeUndefined();
  });

  test("whatever a board prints, nothing is thrown and every number is possible", () => {
    const keys = ["t", "mt", "ma", "cpu", "gpu", "mw", "disk", "thr", "adc", "x", "__proto__"];
    const value = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.integer().map(String),
      fc.bigInt().map(String),
      fc.double().map(String),
      fc.constantFrom("0xffffffff", ",A_A:9999.9A,A_V:9999.9V", ",_A:1.1A,_V:1.1V"),
    );
    const line = fc
      .array(fc.tuple(fc.constantFrom(...keys), value).map(([key, text]) => `${key}=${text}`))
      .map((fields) => `pulse ${fields.join(" ")}`);
    fc.assert(
      fc.property(fc.oneof(line, fc.string({ unit: "binary", maxLength: 200 })), (text) => {
        const point = read(text);
        if (point === undefined) return;
        const {
          temperature = 0,
          cpu = 0,
          gpu = 0,
          power = 0,
          memoryUsedBytes = 0,
          memoryBytes = 0,
          diskFreeBytes = 0,
        } = point;
        for (const number of [temperature, cpu, gpu, power, memoryUsedBytes, diskFreeBytes]) {
          expect(number).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(number)).toBe(true);
        }
        expect(cpu).toBeLessThanOrEqual(1);
        expect(gpu).toBeLessThanOrEqual(1);
        expect(temperature).toBeLessThanOrEqual(150);
        expect(power).toBeLessThanOrEqual(1000);
        expect(memoryUsedBytes).toBeLessThanOrEqual(memoryBytes);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("the reader", () => {
  let root: string;
  let child: ChildProcess | undefined;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "fedfleet-pulse-"));
  });
  afterEach(() => {
    child?.kill("SIGKILL");
    rmSync(root, { recursive: true, force: true });
  });

  /** A file of a board's /sys or /proc. */
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  };
  const shells = ["dash", "bash", "busybox"].filter((name) => spawnSync("which", [name]).status === 0);

  /** The command as a login shell would run it, but with the test's folders in place of the system's. */
  const start = (shell = "sh"): AsyncIterableIterator<string> => {
    const inner = shell === "busybox" ? "busybox sh" : shell;
    const command = createPulse({ diskPath: "/" })
      .command.replace("exec sh -c", `exec ${inner} -c`)
      .replaceAll("/sys/", `${root}/sys/`)
      .replaceAll("/proc/", `${root}/proc/`);
    child = spawn("sh", ["-c", command], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: `${root}/bin:${process.env.PATH}` },
    });
    return createInterface(child.stdout!)[Symbol.asyncIterator]();
  };
  const next = async (lines: AsyncIterableIterator<string>): Promise<TelemetryPoint | undefined> =>
    read((await lines.next()).value as string);

  const pc = (): void => {
    put("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 100 0 100 800 0 0 0 0 0 0");
    put(
      "proc/meminfo",
      "MemTotal:        8000000 kB\nMemFree:         1000000 kB\nMemAvailable:    6000000 kB",
    );
  };

  test("is safe between single quotes, whatever folder it is told", () => {
    const { command } = createPulse({ diskPath: '/mnt/it\'s `odd` $(rm) \\ "disk"\n' });
    expect(command.replace(/^exec sh -c '/, "").slice(0, -1)).not.toMatch(/['\\]/);
    expect(command).toContain('disk="/mnt/its odd (rm)  disk"');
  });

  test.each(shells)("a Jetson Orin's sensors, in %s", async (shell) => {
    pc();
    const zones = {
      "cpu-thermal": "55000",
      "gpu-thermal": "61500",
      "cv0-thermal": "-256000",
      "PMIC-Die": "100000",
      weird: "999999",
    };
    for (const [i, [type, temp]] of Object.entries(zones).entries()) {
      put(`sys/class/thermal/thermal_zone${i}/type`, type);
      put(`sys/class/thermal/thermal_zone${i}/temp`, temp);
    }
    // A block that is switched off answers with an error; here, a folder does.
    put("sys/class/thermal/thermal_zone9/type", "cv1-thermal");
    mkdirSync(join(root, "sys/class/thermal/thermal_zone9/temp"));
    put("sys/devices/platform/bus@0/17000000.gpu/load", "345");
    const ina = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3";
    for (const [i, label, mv, ma] of [
      [1, "VDD_IN", 5000, 2000],
      [2, "VDD_CPU_GPU_CV", 5000, 700],
      [3, "VDD_SOC", 5000, 400],
    ] as const) {
      put(`${ina}/in${i}_label`, label);
      put(`${ina}/in${i}_input`, `${mv}`);
      put(`${ina}/curr${i}_input`, `${ma}`);
    }
    const lines = start(shell);
    expect(await next(lines)).toMatchObject({
      temperature: 61.5,
      gpu: 0.345,
      power: 10,
      memoryBytes: 8_192_000_000,
      memoryUsedBytes: 2_048_000_000,
    });
    put("proc/stat", "cpu  150 0 150 900 0 0 0 0 0 0");
    put("sys/devices/platform/bus@0/17000000.gpu/load", "990");
    expect(await next(lines)).toMatchObject({ cpu: 0.5, gpu: 0.99 });
  });

  test("an AGX Orin has no rail for the whole: its rails are added, but not the one that is part of another", async () => {
    pc();
    const rails = [
      ["1-0040", 1, "VDD_GPU_SOC", 4000],
      ["1-0040", 2, "VDD_CPU_CV", 1000],
      ["1-0040", 3, "VIN_SYS_5V0", 3000],
      ["1-0041", 2, "VDDQ_VDD2_1V8AO", 500],
      ["1-0041", 1, "NC", 900],
    ] as const;
    for (const [chip, i, label, ma] of rails) {
      const folder = `sys/bus/i2c/drivers/ina3221/${chip}/hwmon/hwmon${chip.at(-1)}`;
      put(`${folder}/in${i}_label`, label);
      put(`${folder}/in${i}_input`, "5000");
      put(`${folder}/curr${i}_input`, `${ma}`);
    }
    expect((await next(start()))?.power).toBe(40);
  });

  test("a Jetson Nano of JetPack 4: another folder, and milliwatts", async () => {
    pc();
    put("sys/devices/gpu.0/load", "0");
    const iio = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0";
    for (const [i, label, mw] of [
      [0, "POM_5V_IN", 3210],
      [1, "POM_5V_GPU", 500],
      [2, "POM_5V_CPU", 900],
    ] as const) {
      put(`${iio}/rail_name_${i}`, label);
      put(`${iio}/in_power${i}_input`, `${mw}`);
    }
    expect(await next(start())).toMatchObject({ gpu: 0, power: 3.21 });
  });

  test("a Raspberry Pi's own program is asked every fifth time only", async () => {
    pc();
    put(
      "bin/vcgencmd",
      `#!/bin/sh\necho "$1" >>${root}/asked\ncase $1 in get_throttled) echo throttled=0x50004;; pmic_read_adc) printf '%s\\n' "   VDD_CORE_A current(7)=2.00000000A" "   VDD_CORE_V volt(15)=0.90000000V";; *) exit 1;; esac`,
    );
    chmodSync(join(root, "bin/vcgencmd"), 0o755);
    put("sys/class/thermal/thermal_zone0/type", "cpu-thermal");
    put("sys/class/thermal/thermal_zone0/temp", "48850");
    const lines = start();
    expect(await next(lines)).toMatchObject({ temperature: 48.85, throttling: ["throttled"], power: 1.8 });
    await lines.next();
    expect(await next(lines)).toMatchObject({ throttling: ["throttled"], power: 1.8 });
    const asked = readFileSync(join(root, "asked"), "utf8").trim().split("\n");
    // Once to see whether it is there, once for the first line.
    expect(asked.toSorted()).toEqual(["get_throttled", "get_throttled", "pmic_read_adc", "pmic_read_adc"]);
  });

  test("without it, the kernel's own alarm tells of undervoltage", async () => {
    pc();
    put("sys/class/hwmon/hwmon1/name", "rpi_volt");
    put("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1");
    const { PATH } = process.env;
    expect(spawnSync("which", ["vcgencmd"], { env: { PATH } }).status).not.toBe(0);
    expect(await next(start())).toMatchObject({ throttling: ["undervoltage"] });
  });

  test("ends by itself when nobody takes its lines, and costs next to nothing until then", async () => {
    const command = createPulse().command;
    child = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
    for (let i = 0; i < 4; i += 1) expect(await next(lines)).toHaveProperty("memoryBytes");
    // user, system, and both of its children, in hundredths of a second
    const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    const spent = stat.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
    // Measured: 1 in 20 s.
    expect(spent).toBeLessThan(20);
    const ended = new Promise((resolve) => child!.once("exit", resolve));
    child.stdout!.destroy();
    const isOver = await Promise.race([ended.then(() => true), after(5000, false)]);
    expect(isOver).toBe(true);
  });
});
