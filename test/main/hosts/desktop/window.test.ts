import { EventEmitter } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { createCrashLog, onUncaught } from "#main/hosts/desktop/crash-log.ts";
import { createDialogs } from "#main/hosts/desktop/dialogs.ts";
import { REQUIRED_PREFERENCES, wrongPreferences } from "#main/hosts/desktop/guards.ts";
import { openOnce } from "#main/hosts/desktop/single-instance.ts";
import { createLabWindow } from "#main/hosts/desktop/window.ts";
import { FakeWindow } from "#test/fakes/electron.ts";

let dir: string;
let mayClose: boolean;
let did: string[];
let afterCrash: "reload" | "quit";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fedfleet-window-"));
  FakeWindow.all = [];
  mayClose = false;
  did = [];
  afterCrash = "reload";
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const display = { id: 1, workArea: { x: 0, y: 0, width: 1920, height: 1050 } };

const open = () =>
  createLabWindow(
    {
      BrowserWindow: FakeWindow,
      screen: { getPrimaryDisplay: () => display, getAllDisplays: () => [display] },
    } as unknown as Parameters<typeof createLabWindow>[0],
    {
      preload: "/app/out/preload/preload.cjs",
      icon: "/app/icon.png",
      stateFile: join(dir, "state.json"),
      backgroundColor: "#fff",
    },
    {
      mayClose: () => mayClose,
      onVisible: () => did.push("visible"),
      onSessionEnd: () => did.push("session end"),
      askAfterCrash: async (reason) => {
        did.push(`asked after ${reason}`);
        return afterCrash;
      },
      quit: () => did.push("quit"),
      problem: (error) => did.push(`${error}`),
    },
  );

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("the window is opened with every protection on, and shows the page alone", () => {
  open().show();
  const [window] = FakeWindow.all;
  expect(window?.loaded).toEqual(["app://lab/"]);
  const preferences = window?.options.webPreferences as Record<string, unknown>;
  for (const [name, required] of Object.entries(REQUIRED_PREFERENCES)) {
    // Electron warns of a preference that is named at all; at its default it is off.
    if (name === "experimentalFeatures") expect(preferences[name]).toBeUndefined();
    else expect([name, preferences[name]]).toEqual([name, required]);
  }
  expect(wrongPreferences(preferences)).toEqual([]);
  expect(preferences).toMatchObject({ spellcheck: false, preload: "/app/out/preload/preload.cjs" });
  expect(Object.keys(preferences)).not.toContain("enableBlinkFeatures");
  expect(window?.options).toMatchObject({ show: false, width: 1280, height: 800 });
});

test("it is shown when there is something to see, as large as it was", () => {
  writeFileSync(
    join(dir, "state.json"),
    '{"bounds":{"x":50,"y":60,"width":1000,"height":700},"maximized":true}',
  );
  open().show();
  const window = FakeWindow.all[0]!;
  expect(window.visible).toBe(false);
  window.emit("ready-to-show");
  expect([window.visible, window.maximized]).toEqual([true, true]);
  expect(window.options).toMatchObject({ x: 50, y: 60, width: 1000, height: 700 });
});

test("showing it again brings it to the front; once it was closed, it is made anew", () => {
  const lab = open();
  lab.show();
  const window = FakeWindow.all[0]!;
  window.minimized = true;
  lab.show();
  expect(window.did).toEqual(["restore", "show", "focus"]);
  expect(window.clickClose()).toBe(false);
  expect(FakeWindow.all).toHaveLength(1);
  mayClose = true;
  expect(window.clickClose()).toBe(true);
  expect([lab.isFocused(), lab.isVisible(), lab.current()]).toEqual([false, false, undefined]);
  lab.show();
  expect(FakeWindow.all).toHaveLength(2);
});

test("a page that crashes is loaded again; after a second crash a person is asked", async () => {
  open().show();
  const { webContents } = FakeWindow.all[0]!;
  webContents.emit("render-process-gone", {}, { reason: "crashed" });
  await turn();
  expect([webContents.reloads, did]).toEqual([1, []]);
  webContents.emit("render-process-gone", {}, { reason: "oom" });
  await turn();
  expect([webContents.reloads, did]).toEqual([2, ["asked after oom"]]);
  afterCrash = "quit";
  webContents.emit("render-process-gone", {}, { reason: "crashed" });
  await turn();
  expect([webContents.reloads, did.slice(1)]).toEqual([2, ["asked after crashed", "quit"]]);
  webContents.emit("render-process-gone", {}, { reason: "clean-exit" });
  await turn();
  expect(webContents.reloads).toBe(2);
});

test("a page that does not load is written down, and its window can be seen; one that was closed before is no problem", async () => {
  const loads: PromiseWithResolvers<void>[] = [];
  FakeWindow.load = () => {
    const load = Promise.withResolvers<void>();
    loads.push(load);
    return load.promise;
  };
  try {
    open().show();
    loads[0]!.reject(new Error("ERR_FAILED (-2)"));
    await turn();
    expect(did).toEqual(["Error: ERR_FAILED (-2)", "visible"]);
    expect(FakeWindow.all[0]!.visible).toBe(true);
    mayClose = true;
    open().show();
    FakeWindow.all[1]!.clickClose();
    loads[1]!.reject(new Error("ERR_FAILED (-2)"));
    await turn();
    expect(did).toHaveLength(2);
  } finally {
    FakeWindow.load = async () => {};
  }
});

test("the end of the session is told at once", () => {
  open().show();
  FakeWindow.all[0]!.emit("session-end");
  expect(did).toEqual(["session end"]);
});

describe("one instance", () => {
  const start = async (first: boolean, open: () => Promise<{ show(): void }>) => {
    const done: string[] = [];
    const app = Object.assign(new EventEmitter(), {
      requestSingleInstanceLock: () => first,
      whenReady: async () => void done.push("ready"),
      quit: () => done.push("quit"),
      exit: (code: number) => done.push(`exit ${code}`),
    });
    const opening = openOnce(app as unknown as Parameters<typeof openOnce>[0], open, (message) =>
      done.push(message),
    );
    await opening.catch((error: Error) => done.push(`thrown ${error.message}`));
    return { app, done };
  };

  test("a second start ends; the first shows its window", async () => {
    let shown = 0;
    const open = async () => ({ show: () => (shown += 1) });
    const first = await start(true, open);
    expect(first.done).toEqual(["ready"]);
    expect((await start(false, open)).done).toEqual(["quit"]);
    first.app.emit("second-instance", {}, ["fedfleet", "--evil"], "/elsewhere");
    expect(shown).toBe(1);
  });

  test("what a person can mend is shown, and is the exit code; a bug is thrown", async () => {
    const failing = (error: Error) => async () => {
      throw error;
    };
    const mend = await start(true, failing(new UserError("in use by process 7", { exitCode: 2 })));
    expect(mend.done).toEqual(["ready", "in use by process 7", "exit 2"]);
    expect((await start(true, failing(new Error("a bug")))).done).toEqual(["ready", "thrown a bug"]);
  });
});

test("dialogs: a question that is closed is cancelled; bad news say what to do", async () => {
  const shown: { buttons: string[]; cancelId: number }[] = [];
  const errors: string[][] = [];
  let response = 0;
  const dialogs = createDialogs(
    {
      showMessageBox: async (...given: unknown[]) => {
        shown.push(given.at(-1) as (typeof shown)[number]);
        return { response };
      },
      showErrorBox: (...words: string[]) => errors.push(words),
    } as unknown as Parameters<typeof createDialogs>[0],
    () => undefined,
  );
  const question = {
    message: "Demo is running",
    detail: "",
    choices: [
      { choice: "now", label: "Stop" },
      { choice: "cancel", label: "Cancel" },
    ],
  } as const;
  expect(await dialogs.ask(question)).toBe("now");
  expect(shown[0]).toMatchObject({ buttons: ["Stop", "Cancel"], cancelId: 1 });
  response = 1;
  expect(await dialogs.ask(question)).toBe("cancel");
  response = 7;
  expect(await dialogs.ask(question)).toBe("cancel");
  response = 1;
  expect(await dialogs.askAfterCrash("crashed")).toBe("quit");
  response = 0;
  expect(await dialogs.askAfterCrash("crashed")).toBe("reload");
  dialogs.cannotStart("The data directory is in use by process 12");
  dialogs.fatal(new Error("no luck"), "/log");
  expect(errors[0]).toEqual(["Fedfleet cannot start", "The data directory is in use by process 12"]);
  expect(errors[1]?.[1]).toMatch(/^no luck\n\nAll finished rounds are saved.* \/log\.$/s);
});

test("the first thing that nobody caught is said, not what follows from it", () => {
  const emitter = new EventEmitter();
  const said: unknown[] = [];
  onUncaught(emitter as unknown as NodeJS.Process, (error) => said.push(error));
  for (const error of ["one", "two"]) emitter.emit("unhandledRejection", error);
  emitter.emit("uncaughtException", "three");
  expect(said).toEqual(["one"]);
});

test("what goes wrong is written down; what was refused, only so often", () => {
  const log = createCrashLog(join(dir, "logs", "fedfleet.log"), () => {});
  log.write("fatal", new Error("no luck"));
  for (let i = 0; i < 1000; i += 1) log.refused(`to go to https://example.com/${i}`);
  const lines = readFileSync(log.file, "utf8").split("\n");
  expect(lines[0]).toMatch(/^\d{4}-.*Z fatal: Error: no luck$/);
  expect(lines.filter((line) => line.includes("refused: to go")).length).toBe(200);
  expect(lines.at(-2)).toContain("further refusals are not logged");
});
