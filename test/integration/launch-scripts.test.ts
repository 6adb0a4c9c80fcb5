import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAggregator } from "#main/aggregator/aggregator.ts";
import { chooseRecipe } from "#main/boards/probe/image-recipe.ts";
import { fitConfig } from "#main/runs/instructions.ts";
import { changed, firstWeights, SAMPLE } from "#test/main/virtual-devices/virtual-lab.ts";
import { canMakeImages, type Dockerd, startDockerd } from "#test/setup/docker.ts";

const SCRIPTS = fileURLToPath(new URL("../../device-scripts", import.meta.url));
const run = promisify(execFile);

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The system's own docker goes before whatever else has that name. */
const script = async (
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = SCRIPTS,
): Promise<Ran> => {
  const path = `/usr/sbin:/usr/bin:/sbin:/bin:${process.env.PATH}`;
  try {
    const { stdout, stderr } = await run(join(SCRIPTS, name), [...args], {
      cwd,
      env: { ...process.env, PATH: path, ...env },
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ran;
    return { code, stdout, stderr };
  }
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fedfleet-launch-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ORIGINAL = ["--server_address=10.0.0.1:8080", "--cid=0", "--model=ResNet18", "--batch_size", "50"];

describe("run_pi.sh and run_jetson.sh", () => {
  const tegra = (release: string): string => {
    const [major, ...rest] = release.split(".");
    const file = join(folder, `nv_tegra_release-${release}`);
    writeFileSync(
      file,
      `# R${major} (release), REVISION: ${rest.join(".")}, GCID: 33958178, BOARD: t186ref, EABI: aarch64\n`,
    );
    return file;
  };

  test.each([
    "32.7.1",
    "34.1.1",
    "35.1.0",
    "35.3.1",
    "35.4.1",
    "35.6.1",
    "36.2.0",
    "36.3.0",
    "36.4.0",
    "36.4.7",
    "36.5.0",
    "38.2.0",
    "39.1.0",
  ])("a Jetson with L4T %s gets the image that the lab chooses for it", async (release) => {
    const { code, stdout } = await script("run_jetson.sh", [...ORIGINAL, "--data_dir", folder, "--dry-run"], {
      NV_TEGRA_RELEASE: tegra(release),
    });
    expect(code).toBe(0);
    const { recipe } = chooseRecipe({
      arch: "arm64",
      userlandBits: 64,
      machine: "aarch64",
      family: "jetson",
      jetson: { l4t: release },
    });
    const [build = "", launch = ""] = stdout.split("\n");
    expect(build).toContain(`BASE=${recipe!.base} `);
    expect(build).toContain(`/${recipe!.dockerfile} `);
    if (recipe!.gpu) expect(build).toContain(`FLWR=${recipe!.flwr} `);
    expect(launch.includes("--runtime nvidia")).toBe(recipe!.gpu);
    expect(launch).toContain("--server-address 10.0.0.1:8080 --cid 0 --model ResNet18 --batch-size 50");
  });

  test("both spellings of options, paths with spaces, files that are mounted", async () => {
    const spaced = mkdtempSync(join(folder, "with space "));
    writeFileSync(join(spaced, "part.json"), "{}");
    const args = [
      "--server-address",
      "unix:/run/x/s:1",
      "--cid",
      "a b",
      "--data_dir",
      spaced,
      "--state_dir=st",
    ];
    const { code, stdout } = await script(
      "run_pi.sh",
      [...args, "--part=part.json", "--image=i", "--dry-run"],
      {},
      spaced,
    );
    expect(code).toBe(0);
    // What bash has quoted, bash reads again.
    const words = execFileSync("bash", ["-c", `printf '%s\\n' ${stdout}`], { encoding: "utf8" }).split("\n");
    expect(words).toContain(`${spaced}:/fedfleet/data:ro`);
    expect(words).toContain(`${spaced}/st:/fedfleet/state`);
    expect(words).toContain(`${spaced}/part.json:/fedfleet/files${spaced}/part.json:ro`);
    expect(words).toContain("/run/x:/run/x");
    expect(words.slice(words.indexOf("i"))).toEqual(
      [
        "i",
        "--server-address",
        "unix:/run/x/s:1",
        "--cid",
        "a b",
        "--part",
        `/fedfleet/files${spaced}/part.json`,
      ].concat(["--data-dir", "/fedfleet/data", "--state-dir", "/fedfleet/state", ""]),
    );
  });

  test("what is wrong is said, with exit code 2", async () => {
    for (const [name, args, said] of [
      ["run_pi.sh", ["stray"], "stray"],
      ["run_pi.sh", ["--cid"], "--cid needs a value"],
      ["run_pi.sh", ["--cid=0", "--data-dir=/nowhere"], "/nowhere"],
      ["run_pi.sh", ["--cid=0", "--part=/nowhere"], "/nowhere"],
      ["run_jetson.sh", ["--cid=0", "--data-dir=/"], "not a Jetson"],
    ] as const) {
      const { code, stderr } = await script(name, args, { NV_TEGRA_RELEASE: "/nowhere" });
      expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
    }
    const { code, stdout } = await script("run_jetson.sh", ["--help"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("--server_address")]);
  });

  const noShellcheck = existsSync("/usr/bin/shellcheck") ? undefined : "shellcheck is missing";
  test.skipIf(noShellcheck !== undefined && process.env.CI !== "true")(
    `shellcheck finds nothing${noShellcheck === undefined ? "" : ` (${noShellcheck})`}`,
    async () => {
      const { stdout } = await run("shellcheck", ["-x", "run_pi.sh", "run_jetson.sh", "launch.sh"], {
        cwd: SCRIPTS,
      });
      expect(stdout).toBe("");
    },
  );
});

const noDocker = canMakeImages();

describe.skipIf(noDocker !== undefined && process.env.CI !== "true")(
  `the client in its container, launched by run_pi.sh${noDocker === undefined ? "" : ` (${noDocker})`}`,
  () => {
    let dockerd: Dockerd;
    let image: string;
    beforeAll(async () => {
      dockerd = await startDockerd();
      image = await dockerd.loadClient();
    });
    afterAll(async () => {
      await dockerd?.close();
    });

    const launch = (...args: readonly string[]) =>
      script("run_pi.sh", ["--image", image, "--data_dir", SAMPLE.path, ...args], {
        DOCKER_HOST: `unix://${dockerd.socket}`,
      });
    const eventsOf = (ran: Ran) =>
      ran.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { event: string });

    test("it joins, trains, is sent away and ends with 0; what it leaves is nothing", async () => {
      const server = createAggregator({ emit: () => {}, admission: { kind: "open" } });
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      const ran = launch(
        `--server_address=127.0.0.1:${port}`,
        "--cid=0",
        "--model=Net",
        "--batch_size",
        "50",
      );
      const first = await Promise.race([changed(server).then(() => undefined), ran]);
      expect(first?.stderr).toBeUndefined();
      const { fedfleet: _, ...plain } = fitConfig({
        round: 1,
        run: "r",
        model: "Net",
        numClasses: 10,
        localEpochs: 1,
        batchSize: 50,
        optimizer: { kind: "sgd", lr: 0.05, momentum: 0, nesterov: false, weightDecay: 0 },
        loss: { kind: "ce" },
        feature: { kind: "plain" },
        seed: 1,
        keeps: [],
        keptFrom: 0,
        initSeed: 1,
      });
      const [session] = server.sessions();
      const fit = await session!.request({ kind: "fit", parameters: firstWeights(), config: plain });
      expect(fit).toMatchObject({ ok: true, value: { message: { status: { code: 0 }, examples: 6000 } } });
      if (fit.ok) fit.value.release();
      await server.close();
      const ended = await ran;
      expect(ended.code, ended.stderr).toBe(0);
      expect(eventsOf(ended).at(-1)).toMatchObject({ event: "stopped", code: 0 });
      expect((await dockerd.docker("ps", "--all", "--quiet")).trim()).toBe("");
    });

    test("its exit code is the client's", async () => {
      const lost = await launch("--server_address=127.0.0.1:1", "--cid=0");
      expect(lost.code, lost.stderr).toBe(12);
      const gpu = await launch("--server_address=127.0.0.1:1", "--cid=0", "--device=cuda");
      expect(gpu.code, gpu.stderr).toBe(15);
      const wrong = await launch("--server_address=127.0.0.1:1", "--cid=0", "--learning_rate=1");
      expect(wrong.code, wrong.stderr).toBe(2);
    });

    test("the self-test trains a step inside", async () => {
      const ran = await launch("--self-test");
      expect(ran.code, ran.stderr).toBe(0);
      expect(eventsOf(ran)).toMatchObject([
        { event: "self-test", torch: expect.stringMatching(/^1\.13/), flwr: "1.11.1" },
      ]);
    });
  },
);
