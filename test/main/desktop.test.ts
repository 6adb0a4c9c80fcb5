/** The desktop's root itself, with a real lab and its built workers in it, against the fake of Electron. */
import { EventEmitter } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/message-port";
import type { ContractRouterClient } from "@orpc/contract";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { LabContract } from "#contract/lab-contract.ts";
import { DEMO } from "#contract/presets.ts";
import { ensureBuilt } from "#main/hosts/ensure-built.ts";
import { openStore } from "#main/store/store.ts";
import {
  FakeChannel,
  FakeEvent,
  type FakeMenuItem,
  FakeNotification,
  type FakePort,
  FakeSafeStorage,
  FakeSession,
  FakeTray,
  FakeWindow,
  fakeFrame,
  utilityOf,
} from "#test/fakes/electron.ts";

let dir: string;
const did: string[] = [];
const errors: string[] = [];
const app = Object.assign(new EventEmitter(), {
  isPackaged: false,
  getAppPath: () => process.cwd(),
  enableSandbox: () => did.push("sandbox"),
  setName: () => {},
  setPath: (_name: string, path: string) => did.push(`profile ${path}`),
  getPath: () => join(dir, "window"),
  requestSingleInstanceLock: () => true,
  whenReady: async () => {
    did.push("ready");
  },
  quit() {
    const event = new FakeEvent();
    app.emit("before-quit", event);
    if (!event.prevented) did.push("quit");
  },
  exit: (code: number) => did.push(`exit ${code}`),
});
const session = new FakeSession();
const ipcMain = new EventEmitter();
let answer: ((request: Request) => Promise<Response>) | undefined;
const display = { id: 1, workArea: { x: 0, y: 0, width: 1920, height: 1050 } };

vi.mock("electron", () => ({
  app,
  BrowserWindow: FakeWindow,
  dialog: { showErrorBox: (...words: string[]) => errors.push(words.join(": ")) },
  ipcMain,
  Menu: { buildFromTemplate: (template: FakeMenuItem[]) => template, setApplicationMenu: () => {} },
  MessageChannelMain: FakeChannel,
  Notification: FakeNotification,
  nativeTheme: { shouldUseDarkColors: false, themeSource: "system" },
  powerMonitor: new EventEmitter(),
  powerSaveBlocker: { start: () => 1, stop: () => {} },
  safeStorage: new FakeSafeStorage(),
  protocol: {
    registerSchemesAsPrivileged: () => did.push("scheme"),
    handle: (_scheme: string, handler: typeof answer) => {
      answer = handler;
    },
  },
  screen: { getPrimaryDisplay: () => display, getAllDisplays: () => [display] },
  session: { defaultSession: session },
  Tray: FakeTray,
  utilityProcess: {
    fork: (path: string, _argv: string[], options: { env: NodeJS.ProcessEnv }) =>
      utilityOf(path, options.env),
  },
}));

beforeAll(async () => {
  await ensureBuilt("desktop", () => {});
  dir = mkdtempSync(join(tmpdir(), "fedfleet-desktop-"));
  vi.stubEnv("FEDFLEET_DATA_DIR", dir);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

const client = (port: FakePort) => {
  port.start();
  return createORPCClient(
    new RPCLink({ port: port as never }),
  ) as unknown as ContractRouterClient<LabContract>;
};

test("the root opens the lab, shows it, answers the page, and puts everything away before it ends", async () => {
  const before = { exceptions: process.listeners("uncaughtException"), ints: process.listeners("SIGINT") };
  await import("#main/main.ts");
  await vi.waitFor(() => expect(FakeWindow.all).toHaveLength(1));
  expect(errors).toEqual([]);
  expect(did).toEqual(["sandbox", `profile ${join(dir, "window")}`, "scheme", "ready"]);
  expect(app.listenerCount("web-contents-created")).toBe(1);
  expect(Object.keys(session.handlers).sort()).toEqual(["ask", "check", "device", "display", "request"]);
  expect((await answer!({ url: "app://lab/../main.js", method: "GET" } as Request)).status).toBe(404);
  // The lab is this process's: nobody else gets the directory.
  expect(() => openStore({ dataDir: dir })).toThrow(/in use by process/);

  const frame = fakeFrame("app://lab/");
  ipcMain.emit("lab:connect", { sender: { id: 1 }, senderFrame: frame });
  const lab = client(frame.posted[0]!.ports[0]!);
  const view = await lab.lab.view();
  expect(view).toMatchObject({ host: "desktop", dataDir: dir, activity: { queue: [] } });

  // A study runs in children of the shell's making; the end of it is told to whoever looks elsewhere.
  const window = FakeWindow.all[0]!;
  window.emit("ready-to-show");
  window.hide();
  const { study } = await lab.studies.start({
    study: { ...DEMO, name: "tiny", fleet: { virtual: 2 }, rounds: 1, localEpochs: 1, sampling: {} },
  });
  await vi.waitFor(() => expect(FakeNotification.shown).toHaveLength(1), { timeout: 60_000, interval: 100 });
  expect(FakeNotification.shown[0]!.options).toEqual({
    title: "Study done",
    body: "tiny: all runs are done.",
  });
  expect((await lab.studies.get({ study })).study.runs.map(({ status }) => status)).toEqual(["done", "done"]);
  // Its devices leave a moment later.
  await vi.waitFor(() => expect(FakeTray.all[0]!.toolTip).toBe("Fedfleet: No study is running"), {
    timeout: 10_000,
  });
  FakeNotification.shown[0]!.emit("click");
  expect([window.visible, FakeTray.all[0]!.destroyed]).toEqual([true, true]);

  expect(window.clickClose()).toBe(false);
  await vi.waitFor(() => expect(did).toContain("quit"), { timeout: 10_000 });
  expect([window.visible, window.clickClose()]).toEqual([false, true]);
  const store = openStore({ dataDir: dir });
  store.close();
  expect(existsSync(join(dir, "window", "window-state.json"))).toBe(true);

  for (const listener of process.listeners("uncaughtException")) {
    if (!before.exceptions.includes(listener)) process.off("uncaughtException", listener);
  }
  expect(process.listeners("SIGINT").length).toBe(before.ints.length + 1);
  process.removeAllListeners("SIGINT").removeAllListeners("SIGTERM");
});
