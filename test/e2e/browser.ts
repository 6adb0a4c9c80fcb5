import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"] as const;

/** Where Chromium is: FEDFLEET_CHROMIUM, or the first of its names on the PATH. */
export const findChromium = (env: NodeJS.ProcessEnv = process.env): string | undefined => {
  if (env.FEDFLEET_CHROMIUM) return env.FEDFLEET_CHROMIUM;
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
};

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const found = findChromium();
/** Why the browser tests cannot run here; undefined where they can. */
export const whyNoBrowser =
  found === undefined
    ? "there is no Chromium here: test/setup/install.sh installs it, FEDFLEET_CHROMIUM names another"
    : undefined;
/** For the title of a group of browser tests: what is skipped says why. */
export const inChromium = (what: string): string =>
  whyNoBrowser === undefined ? what : `${what} (skipped: ${whyNoBrowser})`;

/** Chromium without its own traffic, with an empty profile that goes with it. */
export const launchBrowser = (): Promise<Browser> => {
  if (found === undefined) throw new Error(whyNoBrowser);
  return chromium.launch({
    executablePath: found,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
};

/** What a page of the lab says when all is well: nothing. */
export interface Watch {
  /** Errors and warnings of the console, violations of the security policy, exceptions that nobody caught. */
  readonly problems: string[];
  /** From now on the console may say this, such as that a server is away which the test has stopped. */
  tolerate(text: RegExp): void;
}

/** Listens to everything that goes wrong in the pages of a context, those that are opened later as well. */
export const watchContext = (context: BrowserContext): Watch => {
  const problems: string[] = [];
  const tolerated: RegExp[] = [];
  const note = (text: string) => {
    if (!tolerated.some((pattern) => pattern.test(text))) problems.push(text);
  };
  const watchPage = (page: Page) => {
    // Violations of the policy arrive as errors of the console.
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        note(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on("pageerror", (error) => note(`exception: ${error.stack ?? error.message}`));
    page.on("crash", () => note("the page crashed"));
  };
  context.on("page", watchPage);
  return { problems, tolerate: (text) => tolerated.push(text) };
};

/** What Chromium's console says of a socket or request whose server the test has taken away. */
export const SERVER_AWAY = /WebSocket connection to|net::ERR_|Failed to load resource/;
