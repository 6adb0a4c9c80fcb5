/** What the page of the desktop gets beyond a browser's: a port to the lab. It holds no logic. */
import { contextBridge, ipcRenderer } from "electron";

// Of the page's world; the rest of this program has none.
declare const window: { postMessage(message: string, origin: string, transfer: readonly object[]): void };
declare const location: { readonly origin: string };

// The port travels by a message of the window: a MessagePort cannot pass the bridge.
ipcRenderer.on("lab:port", ({ ports }) => window.postMessage("fedfleet:port", location.origin, ports));

contextBridge.exposeInMainWorld("fedfleet", {
  connect: (): void => ipcRenderer.send("lab:connect"),
  setTheme: (theme: "light" | "dark" | "system"): void => ipcRenderer.send("lab:theme", theme),
});
