import { EventEmitter } from "node:events";
import { beforeEach, expect, test } from "vitest";
import { guardContents, REQUIRED_PREFERENCES } from "#main/hosts/desktop/guards.ts";
import { isOurPage } from "#main/hosts/desktop/origin.ts";
import { FakeEvent, FakeWebContents, GOOD_PREFERENCES } from "#test/fakes/electron.ts";

let app: EventEmitter;
let refused: string[];
let fatal: Error[];
beforeEach(() => {
  app = new EventEmitter();
  refused = [];
  fatal = [];
  guardContents(app as unknown as Parameters<typeof guardContents>[0], {
    refused: (what) => refused.push(what),
    fatal: (error) => fatal.push(error),
  });
});

const opened = (preferences?: Record<string, unknown>) => {
  const contents = new FakeWebContents();
  if (preferences !== undefined) contents.preferences = preferences;
  app.emit("web-contents-created", {}, contents);
  return contents;
};

const ELSEWHERE = [
  "https://example.com/",
  "http://127.0.0.1:8080/",
  "file:///etc/passwd",
  "data:text/html,<script>1</script>",
  "javascript:alert(1)",
  "about:blank",
  "blob:app://lab/1234",
  "app://lab.example.com/",
  "app://labor/",
  "app://lab:8080/",
  "app://lab@example.com/",
  "app://user@lab/",
  "app://:secret@lab/",
  "app://example.com/lab",
  "app:lab",
  "apps://lab/",
  "chrome://settings",
  "",
  "no address",
];

test.each(ELSEWHERE)("%s is not our page: no way leads there", (url) => {
  expect(isOurPage(url)).toBe(false);
  const contents = opened();
  for (const way of ["will-navigate", "will-redirect", "will-frame-navigate"] as const) {
    expect(contents.tries(way, url)).toBe(true);
  }
  expect(contents.openHandler?.({ url })).toEqual({ action: "deny" });
  expect(refused).toHaveLength(4);
});

test("our page may load itself again", () => {
  const contents = opened();
  for (const url of ["app://lab/", "app://lab", "app://lab/index.html?a#/studies"]) {
    expect(contents.tries("will-navigate", url)).toBe(false);
  }
});

test("no window is opened and nothing embedded, not even our own page", () => {
  const contents = opened();
  expect(contents.openHandler?.({ url: "app://lab/" })).toEqual({ action: "deny" });
  expect(contents.tries("will-attach-webview")).toBe(true);
});

test.each(Object.entries(REQUIRED_PREFERENCES))(
  "a page without %s = %s is closed at once",
  (name, required) => {
    const contents = opened({ ...GOOD_PREFERENCES, [name]: !required });
    expect(contents.closed).toBe(true);
    expect(fatal[0]?.message).toContain(`${name} is ${!required}`);
  },
);

test("a page with its protection is left alone", () => {
  expect(opened().closed).toBe(false);
  expect(fatal).toEqual([]);
});

test("no certificate, no password: whatever asks for one is refused", () => {
  const event = new FakeEvent();
  let trusted: boolean | undefined;
  app.emit("certificate-error", event, {}, "https://example.com", "", {}, (trust: boolean) => {
    trusted = trust;
  });
  expect([event.prevented, trusted]).toEqual([true, false]);
  for (const what of ["login", "select-client-certificate"]) {
    const asked = new FakeEvent();
    app.emit(what, asked);
    expect(asked.prevented).toBe(true);
  }
});
