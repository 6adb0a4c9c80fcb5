import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LABELS } from "#main/boards/board-ports.ts";
import { buildImage, findImage, loadImage, removeImage } from "#main/boards/docker/client-image.ts";
import { until } from "#test/main/boards/launch/launch-lab.ts";
import { named, problemOf, skip } from "#test/main/boards/ssh/ssh-lab.ts";
import { clientImageTar } from "#test/setup/docker.ts";
import { canMakeBoards } from "#test/setup/test-boards.ts";
import { createDockerLab, type DockerLab, inputOf, writeScripts } from "./docker-lab.ts";

const NO_BOARDS = canMakeBoards();
/** Ends as soon as it is asked to: an engine that comes back does not have to wait for it. */
const SLOW = "RUN echo begun; trap 'exit 1' TERM; sleep 60 & wait";

describe.skipIf(skip(NO_BOARDS))(named("the client image on a board", NO_BOARDS), () => {
  let lab: DockerLab;
  let clean: Awaited<ReturnType<DockerLab["everything"]>>;
  const folders: { remove(): void }[] = [];
  const scripts = (...instructions: string[]): string => {
    const made = writeScripts(instructions);
    folders.push(made);
    return made.folder;
  };
  const temporary = (): string => {
    const path = mkdtempSync(join(tmpdir(), "fedfleet-images-"));
    folders.push({ remove: () => rmSync(path, { recursive: true, force: true }) });
    return path;
  };
  beforeAll(async () => {
    lab = await createDockerLab();
    await lab.dockerd.loadBase();
    clean = await lab.everything();
  }, 60_000);
  afterAll(async () => {
    await lab?.close();
    for (const folder of folders) folder.remove();
  });
  const running = () => lab.dockerd.docker("ps", "--quiet");

  test("is built with its progress told, found, not built twice, and removed without a trace", async () => {
    const input = inputOf(
      scripts(
        "COPY fedfleet_client /client",
        "RUN for i in 1 2 3 4 5; do echo line $i; done",
        'CMD ["true"]',
      ),
    );
    const { work, lines, fractions } = lab.work();
    const built = await buildImage(work, input);
    expect(built).toMatchObject({ arch: lab.facts.arch, digest: input.digest });
    expect(lines).toEqual(expect.arrayContaining(["line 1", "line 5"]));
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeGreaterThan(0.9);

    const again = lab.work();
    expect(await buildImage(again.work, input)).toEqual(built);
    expect(again.lines).toEqual([]);

    // A changed client has another name, and takes what did not change from there.
    const other = inputOf(
      scripts("COPY fedfleet_client /client", "RUN for i in 1 2 3 4 5; do echo line $i; done"),
    );
    expect(other.tag).not.toBe(input.tag);
    const third = lab.work();
    await buildImage(third.work, other);
    expect(third.lines.filter((line) => line.includes("Using cache")).length).toBeGreaterThanOrEqual(3);
    expect(third.lines).not.toContain("line 1");

    expect(await removeImage(lab.engine, input.tag)).toBe(true);
    expect(await removeImage(lab.engine, other.tag)).toBe(true);
    expect(await removeImage(lab.engine, other.tag)).toBe(false);
    expect(await lab.everything()).toEqual(clean);
  });

  test("a command that fails ends it with its last lines, and nothing half-made stays", async () => {
    const input = inputOf(scripts("RUN echo first", "RUN echo no such luck >&2; exit 3"));
    expect(await problemOf(buildImage(lab.work().work, input))).toMatchObject({
      code: "build-failed",
      cause: expect.stringContaining("returned a non-zero code: 3"),
      raw: expect.stringContaining("no such luck"),
      actions: [{ do: "retry" }, { do: "load-image" }],
    });
    expect(await lab.everything()).toEqual(clean);
  });

  test("a board without a way to the internet is told from a build that is wrong", async () => {
    const input = inputOf(
      scripts(
        "RUN echo 'deb http://mirror.invalid/debian bookworm main' > /etc/apt/sources.list; rm -f /etc/apt/apt.conf.d/90machine; apt-get -o Acquire::Retries=0 update && apt-get install -y nothing-of-that-name",
      ),
    );
    expect(
      await problemOf(buildImage(lab.work().work, { ...input, network: "none" as never })),
    ).toMatchObject({ code: "no-internet", next: expect.stringMatching(/load an image/) });
    expect(await lab.everything()).toEqual(clean);
  });

  test("stopped in the middle, it leaves no image and no container", async () => {
    const abort = new AbortController();
    const { work, lines } = lab.work(abort.signal);
    const building = problemOf(buildImage(work, inputOf(scripts("RUN echo before > /x", SLOW))));
    await until("its command runs", () => lines.includes("begun"));
    abort.abort();
    expect(await building).toMatchObject({ code: "cancelled" });
    expect(await lab.everything()).toEqual(clean);
  });

  test("an engine killed in the middle is named; the next build takes away what that left", async () => {
    const { work, lines } = lab.work();
    const building = problemOf(buildImage(work, inputOf(scripts("RUN echo before > /x", SLOW))));
    await until("its command runs", () => lines.includes("begun"));
    await until("the engine has noted that it does", async () => (await running()) !== "");
    await lab.dockerd.stop("SIGKILL");
    expect(await building).toMatchObject({
      code: "docker-stopped",
      actions: expect.arrayContaining([expect.objectContaining({ do: "step", step: "docker-start" })]),
    });
    await lab.dockerd.start();
    await until("nothing of it runs any more", async () => (await running()) === "");
    const input = inputOf(scripts("RUN echo after"));
    await buildImage(lab.work().work, input);
    expect((await lab.everything()).containers).toBe("");
    await removeImage(lab.engine, input.tag);
    expect(await lab.everything()).toEqual(clean);
  });

  test("a build that another lab runs meanwhile is left alone", async () => {
    const input = inputOf(scripts("RUN sleep 3", "RUN echo other"));
    const other = buildImage(lab.work().work, input);
    await until("it runs", async () => (await running()) !== "");
    const failing = inputOf(scripts("RUN exit 9"));
    expect(await problemOf(buildImage(lab.work().work, failing))).toMatchObject({ code: "build-failed" });
    expect(await other).toMatchObject({ digest: input.digest });
    await removeImage(lab.engine, input.tag);
    expect(await lab.everything()).toEqual(clean);
  });

  describe("saved in a file", () => {
    let input: ReturnType<typeof inputOf>;
    let file: string;
    beforeAll(async () => {
      input = inputOf(scripts("RUN echo saved"));
      await buildImage(lab.work().work, input);
      file = join(temporary(), "client.tar");
      // As somebody saved it, under a name of their own.
      await lab.dockerd.docker("tag", input.tag, "fedfleet-client:mine");
      await lab.dockerd.docker("save", "--output", file, "fedfleet-client:mine");
      await lab.dockerd.docker("rmi", "fedfleet-client:mine", input.tag);
      expect(await lab.everything()).toEqual(clean);
    });

    test("it is loaded, plain or packed, and has the name that the lab launches", async () => {
      execFileSync("gzip", ["--keep", "--fast", file]);
      for (const saved of [file, `${file}.gz`]) {
        const { work, fractions } = lab.work();
        const loaded = await loadImage(work, { file: saved, tag: input.tag, digest: input.digest });
        expect(loaded).toMatchObject({ arch: lab.facts.arch, digest: input.digest });
        expect(fractions.length).toBeGreaterThan(3);
        expect(await findImage(lab.engine, input.tag)).toEqual(loaded);
        expect(await findImage(lab.engine, "fedfleet-client:mine")).toBeUndefined();
        await removeImage(lab.engine, input.tag);
        expect(await lab.everything()).toEqual(clean);
      }
    });

    test("for another kind of processor it is refused, and not kept", async () => {
      const folder = temporary();
      execFileSync("tar", ["-C", folder, "-xf", file]);
      const config = readdirSync(folder).find((name) => /^[0-9a-f]{64}\.json$/.test(name))!;
      const text = readFileSync(join(folder, config), "utf8");
      const [ours, theirs] = lab.facts.arch === "arm64" ? ["arm64", "amd64"] : ["amd64", "arm64"];
      writeFileSync(join(folder, config), text.replaceAll(`"${ours}"`, `"${theirs}"`));
      const edited = `${file}.${theirs}`;
      execFileSync("tar", ["-C", folder, "-cf", edited, ...readdirSync(folder)]);
      const loading = loadImage(lab.work().work, { file: edited, tag: input.tag, digest: input.digest });
      expect(await problemOf(loading)).toMatchObject({
        code: "wrong-architecture",
        cause: expect.stringContaining(theirs === "arm64" ? "made for arm64" : "made for x86-64"),
        actions: expect.arrayContaining([expect.objectContaining({ do: "load-image" })]),
      });
      expect(await lab.everything()).toEqual(clean);
    });

    test("another image, no image at all, no file: said before anything is sent", async () => {
      const load = (path: string) =>
        loadImage(lab.work().work, { file: path, tag: input.tag, digest: input.digest });
      const base = join(temporary(), "base.tar");
      await lab.dockerd.docker("save", "--output", base, "debian:bookworm-slim");
      expect(await problemOf(load(base))).toMatchObject({
        code: "image-missing",
        cause: expect.stringContaining("debian:bookworm-slim"),
      });
      const text = join(temporary(), "letter.txt");
      writeFileSync(text, "Dear board,\n".repeat(100));
      await expect(load(text)).rejects.toThrow(/letter\.txt is not a saved image: .*docker save/);
      const cut = join(temporary(), "cut.tar");
      writeFileSync(cut, readFileSync(file).subarray(0, 5_000_000));
      await expect(load(cut)).rejects.toThrow(/is not a saved image/);
      await expect(load("/none.tar")).rejects.toThrow(/it cannot be read/);
      expect(await lab.everything()).toEqual(clean);
    });

    test("stopped while it is sent, nothing of it is kept", async () => {
      const abort = new AbortController();
      const { work } = lab.work(abort.signal);
      const loading = loadImage(
        {
          ...work,
          onProgress: ({ fraction }) => {
            if (fraction > 0.3) abort.abort();
          },
        },
        { file, tag: input.tag, digest: input.digest },
      );
      expect(await problemOf(loading)).toMatchObject({ code: "cancelled" });
      expect(await lab.everything()).toEqual(clean);
    });
  });

  test("what is built carries what it was built from", async () => {
    const input = inputOf(scripts("RUN true"));
    await buildImage(lab.work().work, input);
    const labels = JSON.parse(
      await lab.dockerd.docker("image", "inspect", "--format", "{{json .Config.Labels}}", input.tag),
    );
    expect(labels).toEqual({ [LABELS.client]: "1", [LABELS.recipe]: input.digest });
    await removeImage(lab.engine, input.tag);
  });
});

describe.skipIf(skip(NO_BOARDS))(named("a board whose disk is full", NO_BOARDS), () => {
  let lab: DockerLab;
  const folders: { remove(): void }[] = [];
  beforeAll(async () => {
    lab = await createDockerLab({ dockerd: { dataBytes: 400_000_000 } });
    await lab.dockerd.loadBase();
  }, 60_000);
  afterAll(async () => {
    await lab?.close();
    for (const folder of folders) folder.remove();
  });

  test("it is said with numbers, and what was made of the image is gone", async () => {
    const clean = await lab.everything();
    const made = writeScripts(["RUN head -c 50M /dev/zero > /a", "RUN head -c 500M /dev/zero > /b"]);
    folders.push(made);
    const problem = await problemOf(buildImage(lab.work().work, inputOf(made.folder)));
    expect(problem).toMatchObject({
      code: "disk-full",
      title: expect.stringMatching(/^500 MB needed, \d+ MB free$/),
      cause: expect.stringMatching(/^Of 400 MB at .*\/data, \d+ MB are free/),
      raw: expect.stringMatching(/No space left on device/i),
    });
    expect(await lab.everything()).toEqual(clean);
    const free = Number(
      execFileSync("df", ["-k", "--output=avail", lab.dockerd.dataRoot]).toString().split("\n")[1],
    );
    expect(free * 1024).toBeGreaterThan(200_000_000);
  });

  test("a saved image that does not fit is named in the same way", async () => {
    const clean = await lab.everything();
    const file = await clientImageTar();
    const input = { file, tag: "fedfleet-client:pi-ffffffffffff", digest: "f".repeat(64) };
    expect(await problemOf(loadImage(lab.work().work, input))).toMatchObject({
      code: "disk-full",
      title: expect.stringMatching(/ needed, /),
    });
    expect(await lab.everything()).toEqual(clean);
  });
});
