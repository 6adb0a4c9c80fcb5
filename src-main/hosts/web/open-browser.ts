import { spawn } from "node:child_process";

export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/** Is there a screen to show a window on? Where there is none, says why not. */
export const whyNoDisplay = ({ platform, env }: Surroundings): string | undefined =>
  platform === "linux" && !env.DISPLAY && !env.WAYLAND_DISPLAY
    ? "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    : undefined;

/** The program that shows a URL in the user's browser; undefined where nobody would see it. */
export const browserCommand = (
  url: string,
  { platform, env }: Surroundings,
): readonly [string, ...string[]] | undefined => {
  if (env.CI || whyNoDisplay({ platform, env }) !== undefined) return undefined;
  if (platform === "darwin") return ["open", url];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", url];
  return ["xdg-open", url];
};

/** Shows the URL in the user's browser if that is possible; it never fails, since the terminal shows the URL too. */
export const openBrowser = (url: string, surroundings: Surroundings = process): void => {
  const command = browserCommand(url, surroundings);
  if (command === undefined) return;
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.on("error", () => {}); // there is no such program
  child.unref();
};
