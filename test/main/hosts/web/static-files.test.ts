import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get, startHost, type TestHost } from "./host.ts";

let host: TestHost;
const ask = (path: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
  get(host.port, path, { cookie: host.cookie, ...headers }, method);

beforeAll(async () => {
  host = await startHost();
  const root = join(host.folder, "renderer");
  symlinkSync(join(host.folder, "secret.txt"), join(root, "link.txt"));
  symlinkSync(host.folder, join(root, "out"));
  // A neighbour whose name begins like the folder's.
  mkdirSync(join(host.folder, "renderer-old"));
  writeFileSync(join(host.folder, "renderer-old", "a.txt"), "secret");
  writeFileSync(join(root, ".hidden"), "secret");
});
afterAll(() => host.end());

describe("the page's files", () => {
  test("types, caching and the headers of every answer", async () => {
    const page = await ask("/");
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
    });
    const script = await ask("/assets/index-BxK2_9aQ.js");
    expect(script.headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "private, max-age=31536000, immutable",
    });
    const icon = await ask("/icon.svg");
    expect(icon.headers).toMatchObject({
      "content-type": "image/svg+xml; charset=utf-8",
      "cache-control": "no-cache",
    });
    const again = await ask("/icon.svg", { "if-none-match": String(icon.headers.etag) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  test("text is compressed as the browser takes it", async () => {
    const path = "/assets/index-BxK2_9aQ.js";
    const plain = await ask(path);
    expect(plain.headers["content-encoding"]).toBeUndefined();
    for (const [accepts, encoding, unpack] of [
      ["gzip, deflate, br", "br", brotliDecompressSync],
      ["gzip", "gzip", gunzipSync],
      ["br;q=0, gzip;q=0.5", "gzip", gunzipSync],
    ] as const) {
      const packed = await ask(path, { "accept-encoding": accepts });
      expect(packed.headers["content-encoding"]).toBe(encoding);
      expect(packed.headers.vary).toBe("Accept-Encoding");
      expect(packed.body.length).toBeLessThan(plain.body.length / 10);
      expect(unpack(packed.body)).toEqual(plain.body);
    }
  });

  test("a file that changed is read again", async () => {
    const file = join(host.folder, "renderer", "new.txt");
    writeFileSync(file, "one");
    expect((await ask("/new.txt")).body.toString()).toBe("one");
    writeFileSync(file, "three");
    expect((await ask("/new.txt")).body.toString()).toBe("three");
  });

  test.each([
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/assets/../../secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/..%5csecret.txt",
    "/%252e%252e/secret.txt",
    "//secret.txt",
    "/./index.html",
    "/link.txt",
    "/out/secret.txt",
    "/../renderer-old/a.txt",
    "/.hidden",
    "/index.html%00.js",
    "/index.html%00",
    "/assets",
    "/assets/",
    "/%",
    "/%ff",
    "/C:/secret.txt",
    "/index.html/x",
    `/${"a".repeat(5000)}`,
    "/nothing.js",
  ])("%s leads nowhere", async (path) => {
    const answer = await ask(path);
    expect(answer.status).toBe(404);
    expect(answer.body.toString()).not.toContain("secret");
    expect(host.problems).toEqual([]);
  });

  test("an absolute address in the request line leads nowhere", async () => {
    expect((await ask(`http://127.0.0.1:${host.port}/index.html`)).status).toBe(404);
  });

  test("HEAD has the headers alone; other methods are refused", async () => {
    const head = await ask("/", {}, "HEAD");
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(Number(head.headers["content-length"])).toBeGreaterThan(0);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]) {
      const refused = await ask("/", {}, method);
      expect([method, refused.status, refused.headers.allow]).toEqual([method, 405, "GET, HEAD"]);
    }
    expect((await ask("/lab")).status).toBe(426);
  });

  test("every answer, whatever its status, carries the same security headers", async () => {
    const answers = [
      await ask("/"),
      await ask("/icon.svg"),
      await ask("/nothing"),
      await ask("/lab"),
      await ask("/", {}, "POST"),
      await get(host.port, "/"),
      await get(host.port, "/?token=x"),
      await get(host.port, host.url.slice(host.url.indexOf("/?"))),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 426, 405, 403, 403, 303]);
    for (const { headers } of answers) {
      expect({
        csp: String(headers["content-security-policy"]).split("; "),
        nosniff: headers["x-content-type-options"],
        frame: headers["x-frame-options"],
        referrer: headers["referrer-policy"],
        opener: headers["cross-origin-opener-policy"],
        resource: headers["cross-origin-resource-policy"],
        poweredBy: headers["x-powered-by"],
        cors: headers["access-control-allow-origin"],
      }).toEqual({
        csp: [
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "img-src 'self' data: blob:",
          "font-src 'self'",
          `connect-src 'self' ws://127.0.0.1:${host.port}`,
          "worker-src 'self'",
          "manifest-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
          "frame-ancestors 'none'",
          "require-trusted-types-for 'script'",
        ],
        nosniff: "nosniff",
        frame: "DENY",
        referrer: "no-referrer",
        opener: "same-origin",
        resource: "same-origin",
        poweredBy: undefined,
        cors: undefined,
      });
      expect(headers["permissions-policy"]).toContain("camera=()");
    }
  });

  test("garbage instead of HTTP ends that connection alone", async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(host.port, "127.0.0.1", () => socket.end("\x16\x03\x01\x00garbage\r\n\r\n"));
      socket.on("error", () => {});
      socket.resume().on("close", () => resolve());
    });
    expect((await ask("/")).status).toBe(200);
  });
});
