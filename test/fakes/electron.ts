import { fork } from "node:child_process";
import { EventEmitter } from "node:events";
import { constants } from "node:os";

/**
 * As much of Electron as the desktop's shell touches, by hand and in memory. It keeps what it was told, and lets a
 * test play the other side.
 */

export class FakeEvent {
  prevented = false;
  readonly url: string;
  constructor(url = "") {
    this.url = url;
  }
  preventDefault(): void {
    this.prevented = true;
  }
}

export const GOOD_PREFERENCES = {
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  webviewTag: false,
};

export class FakeWebContents extends EventEmitter {
  preferences: Record<string, unknown> | null = GOOD_PREFERENCES;
  type = "window";
  reloads = 0;
  closed = false;
  openHandler: ((details: { url: string }) => { action: string }) | undefined;
  getLastWebPreferences() {
    return this.preferences;
  }
  getType() {
    return this.type;
  }
  reload() {
    this.reloads += 1;
  }
  close() {
    this.closed = true;
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }) {
    this.openHandler = handler;
  }
  /** Something in the page tries to go elsewhere. @returns whether it was stopped. */
  tries(what: "will-navigate" | "will-redirect" | "will-frame-navigate" | "will-attach-webview", url = "") {
    const event = new FakeEvent(url);
    this.emit(what, event);
    return event.prevented;
  }
}

export class FakeWindow extends EventEmitter {
  static all: FakeWindow[] = [];
  readonly options: Record<string, unknown>;
  readonly webContents = new FakeWebContents();
  bounds = { x: 10, y: 20, width: 900, height: 700 };
  loaded: string[] = [];
  did: string[] = [];
  visible = false;
  minimized = false;
  maximized = false;
  destroyed = false;
  constructor(options: Record<string, unknown>) {
    super();
    this.options = options;
    FakeWindow.all.push(this);
  }
  /** What becomes of the next loads. */
  static load: () => Promise<void> = async () => {};
  loadURL(url: string) {
    this.loaded.push(url);
    return FakeWindow.load();
  }
  show() {
    this.visible = true;
    this.did.push("show");
    this.emit("show");
  }
  hide() {
    this.visible = false;
    this.emit("hide");
  }
  focus() {
    this.did.push("focus");
  }
  restore() {
    this.minimized = false;
    this.did.push("restore");
  }
  maximize() {
    this.maximized = true;
    this.emit("maximize");
  }
  isFocused() {
    return this.visible;
  }
  isVisible() {
    return this.visible;
  }
  isMinimized() {
    return this.minimized;
  }
  isMaximized() {
    return this.maximized;
  }
  isDestroyed() {
    return this.destroyed;
  }
  getNormalBounds() {
    return this.bounds;
  }
  /** A person clicks the cross. @returns whether the window closed. */
  clickClose(): boolean {
    const event = new FakeEvent();
    this.emit("close", event);
    if (event.prevented) return false;
    this.destroyed = true;
    this.emit("closed");
    return true;
  }
}

/** One end of a channel; what is posted at one comes out of the other, after `start`, in a later turn. */
export class FakePort extends EventEmitter {
  other: FakePort | undefined;
  closed = false;
  private started = false;
  private queue: unknown[] = [];
  postMessage(data: unknown) {
    if (this.closed) return;
    const other = this.other!;
    const copy = structuredClone(data);
    setImmediate(() => other.receive(copy));
  }
  private receive(data: unknown) {
    if (this.closed) return;
    if (this.started) this.emit("message", { data, ports: [] });
    else this.queue.push(data);
  }
  start() {
    this.started = true;
    for (const data of this.queue.splice(0)) this.receive(data);
  }
  close() {
    for (const end of [this, this.other!]) {
      if (end.closed) continue;
      end.closed = true;
      setImmediate(() => end.emit("close"));
    }
  }
}

export class FakeChannel {
  readonly port1 = new FakePort();
  readonly port2 = new FakePort();
  constructor() {
    this.port1.other = this.port2;
    this.port2.other = this.port1;
  }
}

export interface FakeFrame {
  readonly url: string;
  readonly parent: unknown;
  readonly posted: { channel: string; message: unknown; ports: FakePort[] }[];
  postMessage(channel: string, message: unknown, ports: FakePort[]): void;
}

export const fakeFrame = (url: string, parent: unknown = null): FakeFrame => {
  const posted: FakeFrame["posted"] = [];
  return {
    url,
    parent,
    posted,
    postMessage: (channel, message, ports) => posted.push({ channel, message, ports }),
  };
};

type Handler = (...args: never[]) => unknown;

/** Keeps each handler that is set, by the setter's name. */
export class FakeSession extends EventEmitter {
  handlers: Record<string, (...args: unknown[]) => unknown> = {};
  spellChecker = true;
  blocked: readonly string[] = [];
  webRequest = {
    onBeforeRequest: (filter: { urls: readonly string[] }, handler: Handler) => {
      this.blocked = filter.urls;
      this.handlers.request = handler as (...args: unknown[]) => unknown;
    },
  };
  private keep = (name: string) => (handler: Handler) => {
    this.handlers[name] = handler as (...args: unknown[]) => unknown;
  };
  setPermissionRequestHandler = this.keep("ask");
  setPermissionCheckHandler = this.keep("check");
  setDevicePermissionHandler = this.keep("device");
  setDisplayMediaRequestHandler = this.keep("display");
  setSpellCheckerEnabled(on: boolean) {
    this.spellChecker = on;
  }
}

export class FakeNotification extends EventEmitter {
  static shown: FakeNotification[] = [];
  static isSupported = () => true;
  readonly options: { title: string; body: string };
  constructor(options: { title: string; body: string }) {
    super();
    this.options = options;
  }
  show() {
    FakeNotification.shown.push(this);
  }
}

export class FakeTray extends EventEmitter {
  static all: FakeTray[] = [];
  toolTip = "";
  menu: FakeMenuItem[] = [];
  destroyed = false;
  readonly icon: string;
  constructor(icon: string) {
    super();
    this.icon = icon;
    FakeTray.all.push(this);
  }
  setToolTip(text: string) {
    this.toolTip = text;
  }
  setContextMenu(menu: FakeMenuItem[]) {
    this.menu = menu;
  }
  destroy() {
    this.destroyed = true;
  }
}

export interface FakeMenuItem {
  readonly label?: string;
  readonly enabled?: boolean;
  click?(): void;
}

export const fakeMenu = { buildFromTemplate: (template: FakeMenuItem[]) => template };

/** A real child process, by Node's fork, behind Electron's words. */
export const utilityOf = (path: string, env: NodeJS.ProcessEnv): EventEmitter => {
  const child = fork(path, [], {
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: [],
    env,
  });
  const utility = Object.assign(new EventEmitter(), {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    postMessage: (message: unknown) => child.connected && child.send(message as object, () => {}),
    kill: () => child.kill(),
  });
  child.on("spawn", () => utility.emit("spawn"));
  child.on("message", (message) => utility.emit("message", message));
  child.on("exit", (code, signal) => utility.emit("exit", code ?? constants.signals[signal!]));
  return utility;
};

export class FakeUtilityProcess extends EventEmitter {
  pid: number | undefined;
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream;
  readonly posted: unknown[] = [];
  killed = false;
  constructor(stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream) {
    super();
    this.stdout = stdout;
    this.stderr = stderr;
  }
  postMessage(message: unknown) {
    this.posted.push(message);
  }
  kill() {
    this.killed = true;
    return true;
  }
}

/** Safe storage whose key ring can be locked, changed, or missing. */
export class FakeSafeStorage {
  backend: ReturnType<Electron.SafeStorage["getSelectedStorageBackend"]> = "gnome_libsecret";
  /** Undefined: it never answers. */
  available: boolean | Error | undefined = true;
  key = "one";
  getSelectedStorageBackend = () => this.backend;
  isAsyncEncryptionAvailable(): Promise<boolean> {
    if (this.available === undefined) return new Promise(() => {});
    return this.available instanceof Error ? Promise.reject(this.available) : Promise.resolve(this.available);
  }
  encryptStringAsync = async (text: string): Promise<Buffer> =>
    Buffer.from([...Buffer.from(`${this.key}\0${text}`)].map((byte) => byte ^ 0x5a));
  async decryptStringAsync(encrypted: Buffer): Promise<{ shouldReEncrypt: boolean; result: string }> {
    const [key, result] = Buffer.from([...encrypted].map((byte) => byte ^ 0x5a))
      .toString("utf8")
      .split("\0");
    if (key !== this.key || result === undefined) throw new Error("Error while decrypting the ciphertext");
    return { shouldReEncrypt: false, result };
  }
}
