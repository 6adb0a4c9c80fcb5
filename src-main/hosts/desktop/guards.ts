import type { App, WebContents } from "electron";
import { isOurPage } from "./origin.ts";

/** What every page of ours must have been opened with; Electron's own names. */
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

/** In Electron, but not in its documentation. */
interface WithPreferences {
  getLastWebPreferences?(): Readonly<Record<string, unknown>> | null;
}

/** The preferences that are not as they must be, with what they are. What Electron leaves out is at its default. */
export const wrongPreferences = (preferences: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(REQUIRED_PREFERENCES)
    .filter(([name, required]) => preferences[name] !== undefined && preferences[name] !== required)
    .map(([name]) => `${name} is ${preferences[name]}`);

export interface GuardPorts {
  /** Hears of everything that was refused. */
  refused(what: string): void;
  /** A page was opened without its protection: nothing may go on. */
  fatal(error: Error): void;
}

/**
 * No page of this app goes elsewhere, opens windows, embeds others or trusts a certificate, whatever runs in it.
 * To be called before the first window is made.
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
    ports.refused("a request for a certificate of this computer");
  });
  app.on("login", (event) => {
    event.preventDefault();
    ports.refused("a request for a password");
  });
};

const guard = (contents: WebContents, { refused, fatal }: GuardPorts): void => {
  const preferences = (contents as WithPreferences).getLastWebPreferences?.();
  const wrong = preferences ? wrongPreferences(preferences) : [];
  // The tools for developers are a page of Electron's own.
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
