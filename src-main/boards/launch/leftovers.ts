import { setTimeout as pause } from "node:timers/promises";
import type { DockerEngine } from "#main/boards/board-ports.ts";
import { LABELS } from "#main/boards/board-ports.ts";

const ATTEMPTS = 6;
const ATTEMPT_MS = 400;

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

/** Ends and removes a container. Does nothing where it is gone, or is being removed by somebody else. */
export const removeContainer = async (engine: DockerEngine, id: string): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await engine.ask((docker) => docker.getContainer(id).remove({ force: true, v: true }));
      return;
    } catch (error) {
      const status = statusOf(error) ?? 0;
      if (status === 404) return;
      // A busy engine needs a moment to let a container's file system go, or is removing it already.
      const mayPass = status === 409 || status >= 500;
      if (status === 409 && attempt >= ATTEMPTS) return;
      if (!mayPass || attempt >= ATTEMPTS) throw error;
      await pause(ATTEMPT_MS);
    }
  }
};
