import type { DockerEngine } from "#main/fleet/board-ports.ts";
import { LABELS } from "#main/fleet/board-ports.ts";

export interface Leftover {
  readonly id: string;
  readonly name: string;
  readonly study: string;
  readonly device: string;
}

export const statusOf = (error: unknown): number | undefined => {
  for (let seen = error; seen instanceof Error; seen = seen.cause) {
    const { statusCode } = seen as { statusCode?: unknown };
    if (typeof statusCode === "number") return statusCode;
  }
  return undefined;
};

/** Containers of this lab on an engine, running or not. */
export const listContainers = async (
  engine: DockerEngine,
  lab: string,
  device?: string,
): Promise<readonly Leftover[]> => {
  const label = [`${LABELS.lab}=${lab}`, ...(device === undefined ? [] : [`${LABELS.device}=${device}`])];
  const all = await engine.ask((docker) => docker.listContainers({ all: true, filters: { label } }));
  return all
    .filter(({ Labels }) => Labels[LABELS.study] !== undefined)
    .map(({ Id, Names, Labels }) => ({
      id: Id,
      name: (Names[0] ?? Id.slice(0, 12)).replace(/^\//, ""),
      study: Labels[LABELS.study] ?? "",
      device: Labels[LABELS.device] ?? "",
    }));
};

/** Ends and removes a container. Quiet where it is gone, or is being removed by somebody else. */
export const removeContainer = async (engine: DockerEngine, id: string): Promise<void> => {
  try {
    await engine.ask((docker) => docker.getContainer(id).remove({ force: true, v: true }));
  } catch (error) {
    const status = statusOf(error);
    if (status !== 404 && status !== 409) throw error;
  }
};
