/** What the desktop's page has and a browser's has not: a port to the lab. It holds no logic. */
import { contextBridge, ipcRenderer } from "electron";

// They belong to the page; the rest of the program has no window.
declare const window: { postMessage(message: string, origin: string, transfer: readonly object[]): void };
declare const location: { readonly origin: string };

// The port travels in a window message: a MessagePort cannot cross the bridge.
ipcRenderer.on("lab:port", ({ ports }) => window.postMessage("fedfleet:port", location.origin, ports));

contextBridge.exposeInMainWorld("fedfleet", {
  connect: (): void => ipcRenderer.send("lab:connect"),
  setTheme: (theme: "light" | "dark" | "system"): void => ipcRenderer.send("lab:theme", theme),
});
