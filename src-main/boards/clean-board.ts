import type { Board } from "./board.ts";
import { BOARD_FOLDERS, LABELS } from "./board-ports.ts";
import { createEngine } from "./docker/engine.ts";
import { sweep } from "./launch/sweep.ts";
import type { createLabKey } from "./ssh/lab-key.ts";

/**
 * Removes what the lab put on a board: containers, images, data, and last its own key.
 * @returns what is still there, in one sentence; undefined where nothing is.
 */
export const cleanBoard = async (
  board: Board,
  deps: { readonly labId: string; readonly labKey: Pick<ReturnType<typeof createLabKey>, "uninstall"> },
): Promise<string | undefined> => {
  const left: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      left.push(`${what} (${error instanceof Error ? error.message : String(error)})`);
    }
  };
  let connection: Awaited<ReturnType<Board["online"]>>;
  try {
    connection = await board.online();
  } catch {
    return `${board.name} cannot be reached: its containers, image, data and the lab's key are still on it.`;
  }
  const { facts, signIn } = board.record();
  if (facts?.docker.state === "ready") {
    const engine = createEngine(connection, facts.docker.socket);
    await attempt("its containers", () => sweep(engine, connection, deps.labId, () => false, board.name));
    await attempt("its images", async () => {
      const images = await engine.ask((docker) => docker.listImages({ filters: { label: [LABELS.recipe] } }));
      for (const image of images) {
        await engine.ask((docker) => docker.getImage(image.Id).remove({ force: true }));
      }
    });
  }
  await attempt("its data", async () => {
    const { code, stderr } = await connection.run(`rm -rf -- "$HOME/${BOARD_FOLDERS.root}"`, {
      timeoutMs: 120_000,
    });
    if (code !== 0) throw new Error(stderr.trim() || `rm ended with ${code}`);
  });
  if (signIn.kind === "lab-key") await attempt("the lab's key", () => deps.labKey.uninstall(connection));
  return left.length === 0 ? undefined : `Still on ${board.name}: ${left.join("; ")}.`;
};
