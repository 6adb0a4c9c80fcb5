import process from "node:process";
import type { Page } from "playwright-core";
import { buildEnvironment, type Dockerd, startDockerd } from "#test/setup/docker.ts";
import { canMakeBoards, startTestBoard, type TestBoard } from "#test/setup/test-boards.ts";
import type { DirectClient, ServedLab } from "./served-lab.ts";

export interface ScreenshotBoards {
  readonly names: readonly string[];
  /** A board that no lab knows yet. */
  readonly stranger: TestBoard;
  close(): Promise<void>;
}

const NAMES = ["kitchen", "balcony"] as const;

const untilReady = async ({ ask }: DirectClient, name: string): Promise<void> => {
  for (;;) {
    const { setup, plan } = await ask.boards.get({ name });
    if (setup === "ready") return;
    const failed = plan?.steps.find(({ state }) => state === "failed");
    if (failed !== undefined && setup !== "running") throw new Error(`${name}: ${failed.problem?.title}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
};

/** Boards that are ready for a study: real accounts and a real engine. Undefined where none can be made. */
export const addScreenshotBoards = async (lab: ServedLab): Promise<ScreenshotBoards | undefined> => {
  const why = canMakeBoards();
  if (why !== undefined) {
    console.log(`Screenshots without boards: ${why}`);
    return undefined;
  }
  const { extraCa } = buildEnvironment();
  if (extraCa !== undefined) process.env.FEDFLEET_EXTRA_CA = extraCa;
  const engine: Dockerd = await startDockerd();
  const boards: TestBoard[] = [];
  const close = async (): Promise<void> => {
    for (const board of boards) await board.close();
    await engine.close();
  };
  try {
    await engine.loadClient();
    for (const user of ["lab-pi", "lab-nx", "lab-nano"]) boards.push(await startTestBoard({ engine, user }));
    const direct = await lab.client();
    for (const [i, name] of NAMES.entries()) {
      const { target, password } = boards[i]!;
      const { host, port, key } = await direct.ask.boards.reach({ target });
      await direct.ask.boards.trust({ host, port, fingerprint: key.fingerprint });
      const signIn = { kind: "password", password } as const;
      await direct.ask.boards.add({ name, target, signIn, installKey: true });
      await direct.ask.boards.provision({ name });
      await untilReady(direct, name);
    }
    direct.close();
    return { names: NAMES, stranger: boards[2]!, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** The dialog in which a board is added, at its one question that only a person can answer. */
export const askForFingerprint = async (page: Page, origin: string, board: TestBoard): Promise<void> => {
  await page.goto(`${origin}/#/fleet`);
  await page.getByRole("button", { name: "Add device", exact: true }).click();
  await page.getByRole("menuitem", { name: /^A board over SSH/ }).click();
  const dialog = page.getByRole("dialog", { name: "Add a board" });
  const { user, host, port } = board.target;
  await dialog.getByLabel("Address").fill(`${user}@${host}:${port}`);
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog.getByText(board.sshd.fingerprint).waitFor();
};
