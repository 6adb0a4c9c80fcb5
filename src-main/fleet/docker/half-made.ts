import { setTimeout as wait } from "node:timers/promises";
import type { ContainerInfo } from "dockerode";
import { type DockerEngine, LABELS } from "#main/fleet/board-ports.ts";

/** What a build that did not come to its end leaves on an engine. */

/** Containers in which instructions of a build run are of our layers, and of no image that has a name. */
const isOfBuild = ({ Image, Labels }: Pick<ContainerInfo, "Image" | "Labels">): boolean =>
  /^(sha256:)?[0-9a-f]{12,64}$/.test(Image) && !(LABELS.lab in Labels);

export const buildContainers = async (engine: DockerEngine): Promise<string[]> => {
  const all = await engine.ask((docker) =>
    docker.listContainers({ all: true, filters: { label: [LABELS.client] } }),
  );
  return all.filter(isOfBuild).map(({ Id }) => Id);
};

const removeQuietly = async (engine: DockerEngine, id: string): Promise<void> => {
  await engine.ask((docker) => docker.getContainer(id).remove({ force: true, v: true })).catch(() => {});
};

/** Layers of ours that belong to no image. */
const pruneLayers = (engine: DockerEngine) =>
  engine.ask((docker) =>
    docker.pruneImages({ filters: { dangling: ["true"], label: [LABELS.client] } as never }),
  );

/**
 * What builds left whose engine died under them. A container that ended well may be one that another build is just
 * making a layer of, so only those that were killed are taken away.
 */
export const clearLeftOver = async (engine: DockerEngine): Promise<void> => {
  const ended = await engine.ask((docker) =>
    docker.listContainers({ all: true, filters: { label: [LABELS.client], status: ["exited", "dead"] } }),
  );
  const killed = ended.filter((one) => isOfBuild(one) && !/^Exited \(0\)/.test(one.Status));
  for (const { Id } of killed) await removeQuietly(engine, Id);
  if (killed.length > 0) await pruneLayers(engine);
};

/** Until the engine has noticed that nobody waits for the build any more. */
const SETTLE_TURNS = 20;
const SETTLE_MS = 250;

/** Takes away what a build left that did not come to its end. `before`: containers that are not its own. */
export const clearHalfMade = async (engine: DockerEngine, before: ReadonlySet<string>): Promise<void> => {
  for (let turn = 0, quiet = 0; turn < SETTLE_TURNS && quiet < 2; turn++) {
    const left = (await buildContainers(engine)).filter((id) => !before.has(id));
    for (const id of left) await removeQuietly(engine, id);
    const { ImagesDeleted: deleted } = await pruneLayers(engine);
    quiet = left.length === 0 && (deleted ?? []).length === 0 ? quiet + 1 : 0;
    await wait(SETTLE_MS);
  }
};

/**
 * An engine that shuts down ends the commands of builds first, and tells that they failed.
 * @throws BoardError "docker-stopped" where it is that
 */
export const stays = async (engine: DockerEngine, signal: AbortSignal): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) {
    await engine.ask((docker) => docker.ping());
    await wait(SETTLE_MS, undefined, { signal });
  }
};
