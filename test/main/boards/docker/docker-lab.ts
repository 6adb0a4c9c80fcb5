import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BoardFacts, ImageRecipe } from "#contract/boards.ts";
import type { SshConnection } from "#main/boards/board-ports.ts";
import type { BuildInput, ImageWork } from "#main/boards/docker/client-image.ts";
import { createEngine } from "#main/boards/docker/engine.ts";
import { imageTag, readSources, recipeDigest } from "#main/boards/docker/recipe-digest.ts";
import { probeBoard } from "#main/boards/probe/probe-board.ts";
import { createSshLab } from "#test/main/boards/ssh/ssh-lab.ts";
import { startTestBoard, type TestBoardOptions } from "#test/setup/test-boards.ts";

/** A recipe whose image is made in seconds: the folder that the lab builds from, with instructions of a test. */
export const writeScripts = (instructions: readonly string[], client = "print('hello')\n") => {
  const folder = mkdtempSync(join(tmpdir(), "fedfleet-scripts-"));
  mkdirSync(join(folder, "fedfleet_client"));
  writeFileSync(join(folder, "fedfleet_client", "client.py"), client);
  writeFileSync(
    join(folder, "Dockerfile.pi"),
    [
      "ARG BASE=debian:bookworm-slim",
      "FROM ${BASE}",
      'LABEL org.fedfleet.client="1"',
      ...instructions,
      "",
    ].join("\n"),
  );
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
};

export const RECIPE: ImageRecipe = {
  dockerfile: "Dockerfile.pi",
  base: "debian:bookworm-slim",
  python: "3.11",
  flwr: "1.11.1",
  gpu: false,
  diskBytes: 500_000_000,
};

export const inputOf = (folder: string): BuildInput => {
  const sources = readSources(folder, RECIPE.dockerfile);
  const digest = recipeDigest(RECIPE, sources);
  return { recipe: RECIPE, sources, digest, tag: imageTag(RECIPE, digest) };
};

export type DockerLab = Awaited<ReturnType<typeof createDockerLab>>;

/** A board, and a connection to it through which its engine is asked. */
export const createDockerLab = async (options: TestBoardOptions = {}) => {
  const board = await startTestBoard(options);
  const ssh = createSshLab();
  const connections: SshConnection[] = [];
  const connect = async (): Promise<SshConnection> => {
    const connection = await ssh.ssh.connect(board.target, { kind: "password", password: board.password });
    connections.push(connection);
    return connection;
  };
  await ssh.trust(board.target);
  const connection = await connect();
  const facts: BoardFacts = await probeBoard(connection);
  return {
    board,
    dockerd: board.engine,
    connection,
    connect,
    facts,
    engine: createEngine(connection, board.engine.socket),
    /** What a build or a load is given; `lines` and `fractions` collect what it tells. */
    work(signal = new AbortController().signal) {
      const lines: string[] = [];
      const fractions: number[] = [];
      const work: ImageWork = {
        connection,
        engine: createEngine(connection, board.engine.socket),
        arch: facts.arch,
        root: board.engine.dataRoot,
        signal,
        onProgress(progress) {
          lines.push(...progress.lines);
          fractions.push(progress.fraction);
        },
      };
      return { work, lines, fractions };
    },
    /** Everything that the engine keeps, down to layers without a name. */
    async everything(): Promise<{ readonly images: string; readonly containers: string }> {
      return {
        images: await board.engine.docker(
          "images",
          "--all",
          "--no-trunc",
          "--format",
          "{{.Repository}}:{{.Tag}} {{.ID}}",
        ),
        containers: await board.engine.docker("ps", "--all", "--format", "{{.Names}} {{.Status}}"),
      };
    },
    async close(): Promise<void> {
      for (const one of connections) one.end();
      ssh.close();
      await board.close();
    },
  };
};
