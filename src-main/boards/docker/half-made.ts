import { setTimeout as wait } from "node:timers/promises";
import type { ContainerInfo } from "dockerode";
import { type DockerEngine, LABELS } from "#main/boards/board-ports.ts";

/** What an unfinished build leaves on an engine. Other builds there are left alone. */

/** What one build has made so far, read from its output. */
export interface Traces {
  readonly containers: ReadonlySet<string>;
  readonly layers: ReadonlySet<string>;
  read(lines: readonly string[]): void;
}

export const createTraces = (): Traces => {
  const containers = new Set<string>();
  const layers = new Set<string>();
  return {
    containers,
    layers,
    read(lines) {
      for (const line of lines) {
        const [, running, id] = /^ ---> (Running in )?([0-9a-f]{12})$/.exec(line) ?? [];
        if (id !== undefined) (running === undefined ? layers : containers).add(id);
      }
    },
  };
};

const short = (id: string): string => id.replace("sha256:", "").slice(0, 12);

/** The containers of a build run on our layers, not on an image that has a name. */
const isOfBuild = ({ Image, Labels }: Pick<ContainerInfo, "Image" | "Labels">): boolean =>
  /^(sha256:)?[0-9a-f]{12,64}$/.test(Image) && !(LABELS.lab in Labels);

const buildContainers = async (engine: DockerEngine): Promise<ContainerInfo[]> =>
  (
    await engine.ask((docker) => docker.listContainers({ all: true, filters: { label: [LABELS.client] } }))
  ).filter(isOfBuild);

const removeContainer = async (engine: DockerEngine, id: string): Promise<void> => {
  await engine.ask((docker) => docker.getContainer(id).remove({ force: true, v: true })).catch(() => {});
};

/** With the layers below that nothing else needs; the engine refuses where something is built on it, or runs. */
const removeLayer = async (engine: DockerEngine, id: string): Promise<void> => {
  await engine.ask((docker) => docker.getImage(id).remove()).catch(() => {});
};

/** Long enough ago that no build is using it any more. */
const OLD_MS = 60 * 60 * 1000;

/**
 * Removes what builds left when their engine died. A container that has just ended well may be one that
 * another build is making a layer of, so of recent ones only those that were killed.
 */
export const clearLeftOver = async (engine: DockerEngine, now = Date.now()): Promise<void> => {
  for (const { Id, ImageID, State, Status, Created } of await buildContainers(engine)) {
    const isIdle = State === "exited" || State === "dead" || State === "created";
    const isOld = now - Created * 1000 > OLD_MS;
    if (!isIdle || !(isOld || /^(Exited \((?!0\))|Dead)/.test(Status))) continue;
    await removeContainer(engine, Id);
    await removeLayer(engine, ImageID);
  }
};

/** Until the engine has noticed that the build was abandoned. */
const SETTLE_TURNS = 20;
const SETTLE_MS = 250;

const layersOf = async (engine: DockerEngine, { containers, layers }: Traces): Promise<string[]> => {
  const loose = await engine.ask((docker) =>
    docker.listImages({ filters: { dangling: ["true"], label: [LABELS.client] } as never }),
  );
  const last = [...layers].at(-1);
  const found: string[] = [];
  for (const { Id } of loose) {
    const image = await engine.ask((docker) => docker.getImage(Id).inspect()).catch(() => undefined);
    // One more may have been made after we stopped listening.
    const isOurs =
      image !== undefined &&
      (layers.has(short(Id)) || containers.has(short(image.Container)) || short(image.Parent) === last);
    if (isOurs) found.push(Id);
  }
  return found;
};

/** Removes what this build left. */
export const clearHalfMade = async (engine: DockerEngine, traces: Traces): Promise<void> => {
  for (let turn = 0, quiet = 0; turn < SETTLE_TURNS && quiet < 2; turn++) {
    const left = (await buildContainers(engine)).filter(({ Id }) => traces.containers.has(short(Id)));
    for (const { Id } of left) await removeContainer(engine, Id);
    const layers = await layersOf(engine, traces);
    for (const id of layers) await removeLayer(engine, id);
    quiet = left.length + layers.length === 0 ? quiet + 1 : 0;
    await wait(SETTLE_MS);
  }
};

/**
 * An engine that shuts down ends the commands of builds first, and reports that they failed.
 * @throws BoardError "docker-stopped" when it shuts down
 */
export const stays = async (engine: DockerEngine, signal: AbortSignal): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) {
    await engine.ask((docker) => docker.ping());
    await wait(SETTLE_MS, undefined, { signal });
  }
};
