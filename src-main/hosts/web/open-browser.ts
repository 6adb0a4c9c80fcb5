import { spawn } from "node:child_process";

export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/** Why there is no display to show a window on; undefined where there is one. */
export const whyNoDisplay = ({ platform, env }: Surroundings): string | undefined =>
  platform === "linux" && !env.DISPLAY && !env.WAYLAND_DISPLAY
    ? "this computer has no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    : undefined;

/** The program that opens a URL in the user's browser; undefined where nobody would see it. */
export const browserCommand = (
  url: string,
  { platform, env }: Surroundings,
): readonly [string, ...string[]] | undefined => {
  if (env.CI || whyNoDisplay({ platform, env }) !== undefined) return undefined;
  if (platform === "darwin") return ["open", url];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", url];
  return ["xdg-open", url];
};

/** Opens the URL in the user's browser where possible. It never fails: the terminal shows the URL as well. */
export const openBrowser = (url: string, surroundings: Surroundings = process): void => {
  const command = browserCommand(url, surroundings);
  if (command === undefined) return;
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.on("error", () => {}); // there is no such program
  child.unref();
};
