import { EventEmitter } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, test } from "vitest";
import type { LabEvent } from "#contract/events.ts";
import type { Activity } from "#contract/views.ts";
import { menuTemplate } from "#main/hosts/desktop/menu.ts";
import { createNotifier, noticeOf } from "#main/hosts/desktop/notify.ts";
import { createWakefulness, followSleep } from "#main/hosts/desktop/power.ts";
import { createTray, statusText } from "#main/hosts/desktop/tray.ts";
import { FakeEvent, FakeNotification, FakeTray, fakeMenu } from "#test/fakes/electron.ts";

const nameOf = (study: string) => `Study ${study}`;
const IDLE: Activity = { queue: [] };
const running = (phase: Activity["phase"] = "running", queue: string[] = []): Activity => ({
  study: "a",
  ...(phase === undefined ? {} : { phase }),
  queue,
});
const ended = (status: "done" | "failed" | "interrupted", reason?: string): LabEvent => ({
  at: "2030-01-01T00:00:00Z",
  kind: "study-ended",
  study: "a",
  status,
  ...(reason === undefined ? {} : { reason }),
});

beforeEach(() => {
  FakeTray.all = [];
  FakeNotification.shown = [];
});

test.each([
  [ended("done"), running(), { title: "Study done", body: "Study a: all runs are done." }],
  [ended("failed", "no device\nat all"), running(), { title: "Study failed", body: "Study a: no device" }],
  [ended("failed"), running(), { title: "Study failed", body: "Study a" }],
  [ended("interrupted", "stopped"), running("stopping-now"), undefined],
  [ended("interrupted", "stopped"), running("stopping-after-round"), undefined],
  [ended("interrupted", "the lab was closed before this study started"), IDLE, undefined],
  [
    ended("interrupted", "the disk is full"),
    running("starting"),
    { title: "Study interrupted", body: "Study a: the disk is full" },
  ],
  [{ at: "", kind: "study-paused", study: "a" } as LabEvent, running(), undefined],
])("of %o, in a lab with %o: %o", (event, activity, notice) => {
  expect(noticeOf(event, activity, nameOf)).toEqual(notice);
});

test("a click on the notice shows the window", () => {
  let shown = 0;
  let focused = false;
  const notify = createNotifier(
    { Notification: FakeNotification } as unknown as Parameters<typeof createNotifier>[0],
    {
      isFocused: () => focused,
      showWindow: () => (shown += 1),
      activity: () => running("stopping-now"),
      nameOf,
    },
  );
  notify(ended("done"));
  notify(ended("interrupted"));
  focused = true;
  notify(ended("done"));
  expect(FakeNotification.shown.map(({ options }) => options.title)).toEqual(["Study done"]);
  FakeNotification.shown[0]!.emit("click");
  expect(shown).toBe(1);
});

test.each([
  [IDLE, "No study is running"],
  [running(), "Study a: running"],
  [running("starting", ["b", "c"]), "Study a: starting, 2 queued"],
  [running("paused"), "Study a: paused"],
  [running("stopping-after-round"), "Study a: stopping after this round"],
])("the tray says of %o: %s", (activity, text) => {
  expect(statusText(activity, nameOf)).toBe(text);
});

test("the tray is there while a study runs or the window is hidden, and its menu does what it says", () => {
  const did: string[] = [];
  const tray = createTray(
    { Tray: FakeTray, Menu: fakeMenu } as unknown as Parameters<typeof createTray>[0],
    { icon: "tray.png", nameOf },
    {
      show: () => did.push("show"),
      stopAfterRound: (study) => did.push(`stop ${study}`),
      quit: () => did.push("quit"),
    },
  );
  tray.update(IDLE, true);
  expect(FakeTray.all).toEqual([]);
  tray.update(running(), true);
  tray.update(running(), false);
  expect(FakeTray.all).toHaveLength(1);
  const icon = FakeTray.all[0]!;
  for (const item of icon.menu) item.click?.();
  icon.emit("click");
  expect(did).toEqual(["show", "stop a", "quit", "show"]);
  const stop = () => icon.menu.find(({ label }) => label === "Stop after this round")?.enabled;
  expect(stop()).toBe(true);
  tray.update(running("stopping-after-round"), false);
  expect(stop()).toBe(false);
  tray.update(IDLE, false);
  expect([stop(), icon.destroyed, icon.toolTip]).toEqual([false, false, "Fedfleet: No study is running"]);
  tray.update(IDLE, true);
  expect(icon.destroyed).toBe(true);
  // What ends late, or the window that is hidden last, brings no icon back.
  tray.destroy();
  tray.update(IDLE, false);
  expect(FakeTray.all).toHaveLength(1);
});

test("the computer stays awake while a study runs, and only then", () => {
  const did: string[] = [];
  const stay = createWakefulness({
    start: (kind) => did.push(kind),
    stop: (id) => {
      did.push(`stop ${id}`);
      return true;
    },
  });
  for (const activity of [IDLE, running("starting"), running(), running("paused"), running(), IDLE, IDLE]) {
    stay(activity);
  }
  expect(did).toEqual(["prevent-app-suspension", "stop 1", "prevent-app-suspension", "stop 3"]);
});

test("sleep is told, with its length; a shutdown is held up until the study is put away", () => {
  const monitor = new EventEmitter();
  const said: string[] = [];
  let now = 0;
  let shutdowns = 0;
  let awakenings = 0;
  followSleep(monitor as unknown as Parameters<typeof followSleep>[0], {
    now: () => now,
    say: (message) => said.push(message),
    onAwake: () => (awakenings += 1),
    onShutdown: () => (shutdowns += 1),
  });
  monitor.emit("suspend");
  now = 40_000;
  monitor.emit("resume");
  monitor.emit("suspend");
  now += 3_600_000;
  monitor.emit("resume");
  expect(awakenings).toBe(2);
  expect(said.map((message) => /after (.*?):/.exec(message)?.[1])).toEqual([
    undefined,
    "40 s",
    undefined,
    "60 min",
  ]);
  const event = new FakeEvent();
  monitor.emit("shutdown", event);
  expect([event.prevented, shutdowns]).toEqual([true, 1]);
});

test("the menu of a packaged app has no tools for developers", () => {
  const roles = (packaged: boolean) => JSON.stringify(menuTemplate("linux", packaged));
  expect(roles(true)).not.toContain("toggleDevTools");
  expect(roles(false)).toContain("toggleDevTools");
  expect(menuTemplate("darwin", true)[0]).toEqual({ role: "appMenu" });
});

test("Electron is reached from the desktop's root and the preload alone, and a link never leaves the app", () => {
  const root = fileURLToPath(new URL("../../../../src-main", import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const using = (pattern: RegExp) =>
    files.filter((file) => pattern.test(readFileSync(join(root, file), "utf8")));
  expect(
    using(/^import (?!type)[^;]*? from "electron"|require\("electron|import\("electron"/m).sort(),
  ).toEqual(["main.ts", "preload.ts"]);
  expect(using(/openExternal|ELECTRON_RUN_AS_NODE/)).toEqual([]);
  expect(using(/ipcMain\.(handle|on)\(/).sort()).toEqual([
    join("hosts", "desktop", "port.ts"),
    join("hosts", "desktop", "theme.ts"),
  ]);
});
