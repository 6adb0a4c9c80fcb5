import type { App, WebContents } from "electron";
import { isOurPage } from "./origin.ts";

/** How each of our pages must have been opened, in Electron's names. */
export const REQUIRED_PREFERENCES = {
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  webviewTag: false,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
} as const;

/** Electron has it, but does not document it. */
interface WithPreferences {
  getLastWebPreferences?(): Readonly<Record<string, unknown>> | null;
}

/** The preferences that differ from the required ones, with their values. Electron leaves out those at their default. */
export const wrongPreferences = (preferences: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(REQUIRED_PREFERENCES)
    .filter(([name, required]) => preferences[name] !== undefined && preferences[name] !== required)
    .map(([name]) => `${name} is ${preferences[name]}`);

export interface GuardPorts {
  /** Called with each thing that was refused. */
  refused(what: string): void;
  /** A page was opened without its protection: the app must end. */
  fatal(error: Error): void;
}

/**
 * No page of this app may navigate away, open windows, embed other pages or trust a certificate, whatever runs in it.
 * Call it before the first window is created.
 */
export const guardContents = (app: Pick<App, "on">, ports: GuardPorts): void => {
  app.on("web-contents-created", (_event, contents) => guard(contents, ports));
  app.on("certificate-error", (event, _contents, url, _error, _certificate, trust) => {
    event.preventDefault();
    trust(false);
    ports.refused(`the certificate of ${url}`);
  });
  app.on("select-client-certificate", (event) => {
    event.preventDefault();
    ports.refused("access to a certificate of this computer");
  });
  app.on("login", (event) => {
    event.preventDefault();
    ports.refused("a password prompt");
  });
};

const guard = (contents: WebContents, { refused, fatal }: GuardPorts): void => {
  const preferences = (contents as WithPreferences).getLastWebPreferences?.();
  const wrong = preferences ? wrongPreferences(preferences) : [];
  // The developer tools are a page of Electron's own.
  if (wrong.length > 0 && contents.getType() !== "remote") {
    contents.close();
    fatal(new Error(`a page was opened without its protection: ${wrong.join(", ")}`));
    return;
  }
  const stay = (event: { preventDefault(): void; readonly url: string }): void => {
    if (isOurPage(event.url)) return;
    event.preventDefault();
    refused(`to go to ${event.url}`);
  };
  contents.on("will-navigate", stay);
  contents.on("will-redirect", stay);
  contents.on("will-frame-navigate", stay);
  contents.on("will-attach-webview", (event) => {
    event.preventDefault();
    refused("to embed another page");
  });
  contents.setWindowOpenHandler(({ url }) => {
    refused(`to open ${url}`);
    return { action: "deny" };
  });
};
