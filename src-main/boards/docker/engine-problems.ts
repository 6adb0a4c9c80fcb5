import type { BoardAction, BoardProblem } from "#contract/boards.ts";
import { type Space, sizeText } from "./disk.ts";

/** What can be wrong with a board's engine, in plain words. */

const RETRY: BoardAction = { do: "retry", label: "Try again" };
const withRaw = (raw: string | undefined): { raw?: string } =>
  raw === undefined || raw === "" ? {} : { raw: raw.slice(-4000) };

export const dockerMissing = (socket: string): BoardProblem => ({
  code: "docker-missing",
  title: "Docker is not installed",
  cause: `There is nothing at ${socket} on the board, and no Docker program.`,
  next: "Install Docker.",
  actions: [{ do: "step", step: "docker-install", label: "Install Docker" }],
});

export const dockerStopped = (socket: string, raw?: string): BoardProblem => ({
  code: "docker-stopped",
  title: "The Docker Engine is not running",
  cause: `Docker is installed on the board, but nothing answers at ${socket}.`,
  next: "Start Docker, then try again.",
  ...withRaw(raw),
  actions: [
    { do: "step", step: "docker-start", label: "Start Docker" },
    RETRY,
    {
      do: "show-commands",
      label: "Show how to check",
      commands: ["systemctl status docker", "journalctl -u docker -n 50"],
    },
  ],
});

export const dockerDenied = (socket: string): BoardProblem => ({
  code: "docker-denied",
  title: "This user cannot use Docker",
  cause: `The user may not write to ${socket}: it is not in the docker group, or was added after it signed in.`,
  next: "Add the user to the docker group and sign in again.",
  actions: [{ do: "step", step: "docker-group", label: "Add and sign in again" }],
});

export const dockerFailed = (
  said: string,
  title = "The Docker Engine refused the request",
): BoardProblem => ({
  code: "docker-failed",
  title,
  cause: said === "" ? "It did not say why." : `It said: ${sentence(said)}`,
  next: "Try again. If it fails again, read the engine's log on the board.",
  ...withRaw(said),
  actions: [
    RETRY,
    { do: "show-commands", label: "Show how to check", commands: ["journalctl -u docker -n 50"] },
  ],
});

export const imageMissing = (raw: string): BoardProblem => ({
  code: "image-missing",
  title: "The image is not on the board",
  cause: "It was never built there, or somebody removed it.",
  next: "Build it again, or load a saved one.",
  ...withRaw(raw),
  actions: [
    { do: "step", step: "image", label: "Build the image" },
    { do: "load-image", label: "Load a saved image" },
  ],
});

/** `needed`: about how much space the work takes in all. */
export const diskFull = (
  space: Space | undefined,
  needed: number | undefined,
  raw?: string,
): BoardProblem => {
  const free = space === undefined ? undefined : sizeText(space.freeBytes);
  const where = space === undefined ? "where the engine keeps its images" : `at ${space.path}`;
  return {
    code: "disk-full",
    title:
      free === undefined
        ? "The board's disk is full"
        : needed === undefined
          ? `The board's disk is full: ${free} free`
          : `${sizeText(needed)} needed, ${free} free`,
    cause:
      space === undefined
        ? `There is no space left ${where}.`
        : `Of ${sizeText(space.totalBytes)} ${where}, ${free} are free${needed === undefined ? "." : `; the image takes about ${sizeText(needed)} while it is built.`}`,
    next: "Remove images or files on the board that are not needed, or move Docker's data to a larger disk; then try again.",
    ...withRaw(raw),
    actions: [
      RETRY,
      {
        do: "show-commands",
        label: "Show what takes space",
        commands: ["docker system df", "docker image ls", "docker image prune", "df -h"],
      },
    ],
  };
};

export const isDiskFull = (text: string): boolean =>
  /no space left on device|ENOSPC|disk quota exceeded|not enough free (disk )?space|don't have enough free space/i.test(
    text,
  );

/** With a full stop, and no more than a line or two. */
export const sentence = (text: string): string => {
  const line = text.trim().replaceAll(/\s+/g, " ").slice(0, 300);
  return /[.!?]$/.test(line) ? line : `${line}.`;
};
