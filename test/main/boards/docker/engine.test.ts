import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "#main/boards/docker/engine.ts";
import { createSshLab, named, problemOf, skip, targetOf } from "#test/main/boards/ssh/ssh-lab.ts";
import { DOCKER, DOCKERD } from "#test/setup/docker.ts";
import { startSshd } from "#test/setup/sshd.ts";
import { canMakeBoards } from "#test/setup/test-boards.ts";
import { createDockerLab, type DockerLab } from "./docker-lab.ts";

const NO_BOARDS = canMakeBoards();

describe.skipIf(skip(NO_BOARDS))(named("a board's engine, asked through SSH", NO_BOARDS), () => {
  let lab: DockerLab;
  beforeAll(async () => {
    lab = await createDockerLab();
  }, 60_000);
  afterAll(async () => lab?.close());
  const ping = () => lab.engine.ask((docker) => docker.ping());

  test("answers a hundred requests at once on one connection", async () => {
    expect(String(await ping())).toBe("OK");
    const began = performance.now();
    const all = await Promise.all(
      Array.from({ length: 100 }, () => lab.engine.ask((docker) => docker.version())),
    );
    // Without care, printing the connection for each request takes minutes.
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(new Set(all.map(({ Version }) => Version))).toEqual(new Set([lab.facts.docker.version]));
    expect(lab.board.sshd.log().match(/^Accepted /gm)).toHaveLength(1);
  });

  test("an image that is not there, and what the engine refuses, come with its own words", async () => {
    expect(await problemOf(lab.engine.ask((docker) => docker.getImage("none:1").inspect()))).toMatchObject({
      code: "image-missing",
      raw: expect.stringContaining("none:1"),
    });
    expect(await problemOf(lab.engine.ask((docker) => docker.getContainer("none").start()))).toMatchObject({
      code: "docker-failed",
      cause: expect.stringContaining("No such container: none"),
    });
  });

  test("a mistake of our own is no problem of the board", async () => {
    const call = lab.engine.ask(async () => {
      throw new TypeError("undefined is not a function");
    });
    await expect(call).rejects.toThrow(TypeError);
  });

  test("a stopped engine, a killed one: both are named, and asked again when they are back", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await lab.dockerd.stop(signal);
      expect(await problemOf(ping())).toMatchObject({
        code: "docker-stopped",
        cause: expect.stringContaining(lab.dockerd.socket),
        actions: expect.arrayContaining([expect.objectContaining({ do: "step", step: "docker-start" })]),
      });
      await lab.dockerd.start();
      expect(String(await ping())).toBe("OK");
    }
  });

  test("an engine that stops in the middle of a request is named", async () => {
    const events = problemOf(
      lab.engine.ask(async (docker) => {
        const stream = await docker.getEvents();
        for await (const _ of stream as AsyncIterable<Buffer>);
        throw Object.assign(new Error("ended"), { code: "ECONNRESET" });
      }),
    );
    await wait(100);
    await lab.dockerd.stop("SIGKILL");
    expect(await events).toMatchObject({ code: "docker-stopped" });
    await lab.dockerd.start();
  });

  test("a connection that dies ends what waits on it", async () => {
    const connection = await lab.connect();
    const engine = createEngine(connection, lab.dockerd.socket);
    await lab.dockerd.loadBase();
    const container = await engine.ask((docker) =>
      docker.createContainer({
        Image: "debian:bookworm-slim",
        Cmd: ["sleep", "60"],
        HostConfig: { NetworkMode: "none" },
      }),
    );
    await engine.ask(() => container.start());
    const waiting = problemOf(engine.ask(() => container.wait()));
    await wait(100);
    connection.end();
    expect(await waiting).toMatchObject({ code: "connection-lost" });
    expect(await problemOf(engine.ask((docker) => docker.ping()))).toMatchObject({ code: "connection-lost" });
    await lab.dockerd.docker("rm", "--force", container.id);
  });

  test("a user who may not, and a board without Docker, are told apart", async () => {
    const missing = join(lab.dockerd.folder, "none.sock");
    // Docker's programs are here, so an engine could be started.
    expect(
      await problemOf(createEngine(lab.connection, missing).ask((docker) => docker.ping())),
    ).toMatchObject({ code: "docker-stopped" });

    const [bare, ssh] = [
      await startSshd({
        users: [{ password: "correct horse" }],
        bind: { [DOCKERD]: "/dev/null", [DOCKER]: "/dev/null" },
      }),
      createSshLab(),
    ];
    try {
      await ssh.trust(targetOf(bare));
      const connection = await ssh.ssh.connect(targetOf(bare), {
        kind: "password",
        password: "correct horse",
      });
      const ask = (socket: string) =>
        problemOf(createEngine(connection, socket).ask((docker) => docker.ping()));
      expect(await ask(missing)).toMatchObject({
        code: "docker-missing",
        actions: [{ do: "step", step: "docker-install" }],
      });
      // Not in the group of the socket.
      expect(await ask(lab.dockerd.socket)).toMatchObject({
        code: "docker-denied",
        actions: [{ do: "step", step: "docker-group" }],
      });
      connection.end();
    } finally {
      ssh.close();
      await bare.close();
    }
  });
});
