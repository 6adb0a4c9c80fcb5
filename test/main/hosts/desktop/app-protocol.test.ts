import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAppResponder, registerAppScheme } from "#main/hosts/desktop/app-protocol.ts";

let dir: string;
let answer: ReturnType<typeof createAppResponder>;
const problems: unknown[] = [];
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "fedfleet-page-"));
  mkdirSync(join(dir, "renderer", "assets"), { recursive: true });
  writeFileSync(join(dir, "secret.txt"), "secret");
  writeFileSync(join(dir, "renderer", "index.html"), "<!doctype html><title>the page</title>");
  writeFileSync(join(dir, "renderer", "assets", "index-AbCd1234.js"), "export {};");
  writeFileSync(join(dir, "renderer", ".hidden"), "secret");
  symlinkSync(join(dir, "secret.txt"), join(dir, "renderer", "out.txt"));
  symlinkSync(dir, join(dir, "renderer", "up"));
  answer = createAppResponder({
    rendererDir: join(dir, "renderer"),
    onProblem: (error) => problems.push(error),
  });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A request as Electron's handler gets it: unlike undici's, its URL is not changed by being looked at. */
const request = (url: string, method = "GET") => ({ url, method }) as Request;

test("the page and its parts are answered with their types", async () => {
  for (const url of ["app://lab", "app://lab/", "app://lab/index.html", "app://lab/?x#/studies/1"]) {
    const response = await answer(request(url));
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/html; charset=utf-8",
    ]);
    expect(await response.text()).toContain("the page");
  }
  const script = await answer(request("app://lab/assets/index-AbCd1234.js"));
  expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect(script.headers.get("cache-control")).toContain("immutable");
  expect(await (await answer(request("app://lab/index.html", "HEAD"))).text()).toBe("");
});

test.each([
  "app://lab/../secret.txt",
  "app://lab/..%2fsecret.txt",
  "app://lab/%2e%2e/secret.txt",
  "app://lab/%2e%2e%2fsecret.txt",
  "app://lab/..%5csecret.txt",
  "app://lab/..\\secret.txt",
  "app://lab/assets/../../secret.txt",
  "app://lab/assets/..%2f..%2fsecret.txt",
  "app://lab/%252e%252e%252fsecret.txt",
  "app://lab//secret.txt",
  "app://lab//etc/passwd",
  "app://lab/%2fetc%2fpasswd",
  "app://lab/C:%5cWindows%5cwin.ini",
  "app://lab/index.html%00.js",
  "app://lab/out.txt",
  "app://lab/up/secret.txt",
  "app://lab/.hidden",
  "app://lab/assets",
  "app://lab/assets/",
  "app://lab/missing.js",
  "app://lab/%",
  "app://lab/%ff",
  `app://lab/${"a".repeat(5000)}`,
  "app://other/index.html",
  "app://lab.example.com/index.html",
  "app://lab:80/index.html",
  "app://user@lab/index.html",
  "https://lab/index.html",
  "",
])("%s gives nothing", async (url) => {
  const response = await answer(request(url));
  expect(response.status).toBe(404);
  expect(await response.text()).toBe("File not found.\n");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
});

test("a path with a NUL in it gives nothing", async () => {
  expect((await answer(request("app://lab/index.html\0"))).status).toBe(404);
});

test("only reading is answered", async () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    expect((await answer(request("app://lab/", method))).status).toBe(404);
  }
});

test("every answer carries the same protection, and the page may connect to nothing", async () => {
  const { headers } = await answer(request("app://lab/"));
  expect(Object.fromEntries(headers)).toMatchInlineSnapshot(`
    {
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'none'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
      "content-type": "text/html; charset=utf-8",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    }
  `);
  const missing = await answer(request("app://lab/missing"));
  for (const [name, value] of headers) {
    if (!["content-type", "cache-control"].includes(name)) expect(missing.headers.get(name)).toBe(value);
  }
  expect(problems).toEqual([]);
});

test("the scheme is as safe as https, and known before Electron is ready", () => {
  const schemes: unknown[] = [];
  registerAppScheme({ registerSchemesAsPrivileged: (given) => schemes.push(...given) });
  expect(schemes).toEqual([
    {
      scheme: "app",
      privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
    },
  ]);
});
