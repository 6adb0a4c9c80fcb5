import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeScripts } from "#test/main/boards/docker/docker-lab.ts";
import { until } from "#test/main/boards/launch/launch-lab.ts";
import { named, skip } from "#test/main/boards/ssh/ssh-lab.ts";
import { clientImageTar } from "#test/setup/docker.ts";
import { canMakeBoards } from "#test/setup/test-boards.ts";
import { createProvisionLab, states, stepOf, TRIAL } from "./provision-lab.ts";

const NO_BOARDS = canMakeBoards();
const DEVICE_SCRIPTS = join(import.meta.dirname, "../../../../device-scripts");
/** A board on which all that is left to do is the image, and what comes after it. */
const HAS_DOCKER = {
  "docker-install": "done",
  "docker-start": "done",
  "docker-group": "done",
  "nvidia-runtime": "not-needed",
} as const;

describe.skipIf(skip(NO_BOARDS))(named("a board is made ready", NO_BOARDS), () => {
  const trial = writeScripts(TRIAL);
  const slow = writeScripts(["RUN echo begun; trap 'exit 1' TERM; sleep 60 & wait"]);
  const exits = [132, 137, 3].map((code) =>
    writeScripts([`ENTRYPOINT ["sh", "-c", "echo ended; exit ${code}"]`]),
  );
  const make = () =>
    createProvisionLab({
      small: { scripts: trial.folder, groups: ["docker"] },
      real: { scripts: DEVICE_SCRIPTS, groups: ["docker"] },
      slow: { scripts: slow.folder, groups: ["docker"] },
      illegal: { scripts: exits[0]!.folder, groups: ["docker"] },
      killed: { scripts: exits[1]!.folder, groups: ["docker"] },
      broken: { scripts: exits[2]!.folder, groups: ["docker"] },
      folder: { scripts: trial.folder, groups: ["docker"], dataFolder: "/nowhere/cifar" },
      tiny: {
        scripts: trial.folder,
        groups: ["docker"],
        see: (facts) => ({ ...facts, recipe: { ...facts.recipe!, diskBytes: 9e15 } }),
      },
      riscv: {
        scripts: trial.folder,
        groups: ["docker"],
        see: ({ recipe: _, ...facts }) => ({ ...facts, unsupported: "No PyTorch for RISC-V." }),
      },
    });
  let lab: Awaited<ReturnType<typeof make>>;
  beforeAll(async () => {
    lab = await make();
    await lab.dockerd.loadBase();
  }, 60_000);
  afterAll(async () => {
    await lab?.close();
    for (const made of [trial, slow, ...exits]) made.remove();
  });
  const containers = () => lab.dockerd.docker("ps", "--all", "--quiet");
  const images = () => lab.dockerd.docker("images", "--quiet", "fedfleet-client");

  test("the plan is shown before, the image is made and tried; then there is nothing to do", async () => {
    const board = await lab.boardOf("small");
    const before = await board.look();
    expect(states(before)).toEqual({
      ...HAS_DOCKER,
      image: "open",
      "self-test": "blocked",
      data: "not-needed",
    });
    expect(before.ready).toBe(false);
    expect(stepOf(before, "image").commands.join()).toContain(board.tag());
    expect(await images()).toBe("");

    const plan = await board.run();
    expect(plan).toMatchObject({ ready: true, running: false });
    expect(states(plan)).toMatchObject({ image: "done", "self-test": "done" });
    expect(stepOf(plan, "image").output.join("\n")).toContain("Successfully built");
    expect(stepOf(plan, "self-test").text).toBe("PyTorch 9.9 trains on the processor (2 threads).");
    const ofImage = board.told.filter(({ id }) => id === "image");
    expect(ofImage[0]).toMatchObject({ state: "running", output: [] });
    expect(ofImage.at(-1)).toMatchObject({ state: "done", canUndo: true });
    expect(await containers()).toBe("");

    expect(await board.run()).toMatchObject({ ready: true });
    expect(board.told).toEqual([]);
    // Named, a step that is done is looked at again, and changes nothing.
    const id = await images();
    expect(await board.run({ steps: ["image", "self-test"] })).toMatchObject({ ready: true });
    expect(await images()).toBe(id);

    const undone = await board.undo("image");
    expect(states(undone)).toMatchObject({ image: "open", "self-test": "blocked" });
    expect(await images()).toBe("");
    await expect(board.undo("self-test")).rejects.toThrow(/nothing to undo/);
  });

  test("a saved image is loaded in the place of a build, and PyTorch tried in it", async () => {
    const board = await lab.boardOf("real");
    const plan = await board.run({ imageFile: await clientImageTar() });
    expect(states(plan)).toMatchObject({ image: "done", "self-test": "done" });
    expect(stepOf(plan, "self-test").text).toMatch(
      /^PyTorch \d+\.\d+.* trains on the processor \(\d+ threads\)\.$/,
    );
    const fractions = board.told.flatMap(({ id, fraction }) =>
      id === "image" && fraction ? [fraction] : [],
    );
    expect(fractions.length).toBeGreaterThan(3);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(await containers()).toBe("");
    await board.undo("image");
  });

  test("a file that is no image is refused by name, and the plan says so", async () => {
    const board = await lab.boardOf("small");
    const file = join(lab.dockerd.folder, "holiday.jpg");
    writeFileSync(file, "no tar");
    const plan = await board.run({ steps: ["image"], imageFile: file });
    expect(stepOf(plan, "image")).toMatchObject({
      state: "failed",
      problem: { cause: expect.stringMatching(/holiday\.jpg is not a saved image/) },
    });
  });

  test("stopped in the middle of a build, nothing of it stays and it can go on later", async () => {
    const board = await lab.boardOf("slow");
    const abort = new AbortController();
    const running = board.run({}, abort.signal);
    await until("its command runs", () => board.told.some(({ output }) => output.includes("begun")));
    abort.abort();
    const plan = await running;
    expect(stepOf(plan, "image")).toMatchObject({
      state: "failed",
      problem: { code: "cancelled" },
      output: expect.arrayContaining(["begun"]),
    });
    expect(stepOf(plan, "self-test").state).toBe("blocked");
    expect(await containers()).toBe("");
    expect(await images()).toBe("");
    expect(states(await board.look())).toMatchObject({ image: "open" });
  });

  test("an engine that stops in the middle of a build is named, with the step that starts it", async () => {
    const board = await lab.boardOf("slow");
    const running = board.run();
    await until("its command runs", () => board.told.some(({ output }) => output.includes("begun")));
    await lab.dockerd.stop();
    const plan = await running.finally(() => lab.dockerd.start());
    expect(stepOf(plan, "image")).toMatchObject({
      state: "failed",
      problem: {
        code: "docker-stopped",
        actions: expect.arrayContaining([expect.objectContaining({ do: "step", step: "docker-start" })]),
      },
    });
    expect(states(plan)).toMatchObject({ "docker-start": "open", "self-test": "blocked" });
    expect(states(await board.look())).toMatchObject({ "docker-start": "open" });
    await board.board.probe();
    expect(states(await board.look())).toMatchObject({ "docker-start": "done", image: "open" });
    expect(await containers()).toBe("");
  });

  test.each([
    ["illegal", "cpu-unsuited"],
    ["killed", "out-of-memory"],
    ["broken", "client-exited"],
  ] as const)("a PyTorch that ends as %s: %s", async (name, code) => {
    const board = await lab.boardOf(name);
    const plan = await board.run();
    expect(stepOf(plan, "self-test")).toMatchObject({
      state: "failed",
      problem: { code, raw: expect.stringContaining("ended") },
      output: ["ended"],
    });
    expect(plan.ready).toBe(false);
    expect(await containers()).toBe("");
    await board.undo("image");
  });

  test("a disk that is too small is said before anything is sent", async () => {
    const board = await lab.boardOf("tiny");
    const plan = await board.run();
    expect(stepOf(plan, "image").problem).toMatchObject({
      code: "disk-full",
      title: expect.stringMatching(/^9000000\.0 GB needed, .* free$/),
    });
    expect(await images()).toBe("");
  });

  test("a board for which there is no image says why", async () => {
    const board = await lab.boardOf("riscv");
    expect(stepOf(await board.look(), "image")).toMatchObject({
      state: "blocked",
      text: "No PyTorch for RISC-V.",
    });
    const plan = await board.run({ steps: ["image"] });
    expect(stepOf(plan, "image").problem).toMatchObject({ cause: "No PyTorch for RISC-V." });
  });

  test("a folder of data that is not there is named; when it is, the step is done", async () => {
    const board = await lab.boardOf("folder");
    const before = stepOf(await board.look(), "data");
    expect(before).toMatchObject({
      state: "open",
      problem: { code: "data-missing", cause: expect.stringContaining("/nowhere/cifar") },
    });
    const plan = await board.run();
    expect(states(plan)).toMatchObject({ image: "done", "self-test": "done", data: "failed" });
    expect(plan.ready).toBe(false);

    const folder = join(lab.dockerd.folder, "cifar");
    mkdirSync(folder);
    writeFileSync(join(folder, "data_batch_1.bin"), "x");
    const there = { ...board.board, dataFolder: folder };
    expect(stepOf(await board.provisioner.look(there), "data")).toMatchObject({
      state: "done",
      text: expect.stringContaining(folder),
    });
    await board.undo("image");
  });
});
