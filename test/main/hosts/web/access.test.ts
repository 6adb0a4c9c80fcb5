import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccess } from "#main/hosts/web/access.ts";
import { get, openSocket, startHost, type TestHost } from "./host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.end());

const tokenPath = () => host.url.slice(host.url.indexOf("/?"));

describe("the token and its cookie", () => {
  test("the right token is traded for a cookie that only this server's pages send, and leaves the address", async () => {
    const traded = await get(host.port, tokenPath());
    expect(traded.status).toBe(303);
    expect(traded.headers.location).toBe("/");
    const [cookie = ""] = traded.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(
      new RegExp(`^fedfleet-${host.port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`),
    );
    expect(cookie).not.toContain(new URL(host.url).searchParams.get("token"));
    const page = await get(host.port, "/", { cookie: cookie.split(";")[0]! });
    expect(page.status).toBe(200);
    expect(page.body.toString()).toContain("<title>page</title>");
  });

  test("a second browser may use the same address", async () => {
    expect((await get(host.port, tokenPath())).status).toBe(303);
  });

  test("without a cookie, or with a wrong one, nothing is shown but what to do", async () => {
    const name = host.cookie.split("=")[0]!;
    const value = host.cookie.slice(name.length + 1);
    for (const cookie of [
      "",
      `${name}=`,
      `${name}=${value}x`,
      `${name}2=${value}`,
      value,
      `${name}=undefined`,
    ]) {
      for (const path of ["/", "/index.html", "/assets/index-BxK2_9aQ.js", "/lab", "/nothing"]) {
        const refused = await get(host.port, path, cookie === "" ? {} : { cookie });
        expect([path, refused.status]).toEqual([path, 403]);
        expect(refused.body.toString()).toContain("the address");
        expect(refused.body.toString()).not.toMatch(/<script|<style|style=/);
      }
    }
  });

  test("a wrong token is 403, also beside a good cookie", async () => {
    const refused = await get(host.port, "/?token=wrong", { cookie: host.cookie });
    expect(refused.status).toBe(403);
    expect(refused.headers["set-cookie"]).toBeUndefined();
    expect((await get(host.port, "/?token=")).status).toBe(403);
    expect((await get(host.port, `/index.html${tokenPath().slice(1)}`)).status).toBe(403);
  });

  test("many wrong tokens are turned away, and the right one still opens", async () => {
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => (await get(host.port, `/?token=guess${i}`)).status),
    );
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(20);
    expect(statuses.every((status) => status === 403 || status === 429)).toBe(true);
    expect((await get(host.port, tokenPath())).status).toBe(303);
  });

  test("the address for the browser's command line opens the lab one time", async () => {
    const url = host.urlForOnce();
    const path = url.slice(url.indexOf("/?"));
    expect(path).not.toBe(tokenPath());
    expect((await get(host.port, path)).status).toBe(303);
    expect([403, 429]).toContain((await get(host.port, path)).status);
  });

  test("that address is good for a minute, and wrong tokens are forgotten after one", () => {
    let now = 0;
    const access = createAccess(1, () => now);
    const once = access.tokenForOnce();
    now = 60_001;
    expect(access.tryToken(once)).toEqual({ ok: false, waitMs: 50 });
    for (let i = 0; i < 30; i++) access.tryToken("x");
    expect(access.tryToken("x")).toEqual({ ok: false, waitMs: undefined });
    now += 60_001;
    expect(access.tryToken("x")).toEqual({ ok: false, waitMs: 50 });
  });
});

describe("Host and Origin", () => {
  test.each([
    "evil.example",
    "127.0.0.1",
    "localhost",
    "127.0.0.1:1",
    "evil.example:PORT",
    "127.0.0.1:PORT.evil.example",
    "[::1]:PORT",
  ])("Host %s is not ours, even with the cookie and the token", async (name) => {
    const wrong = { host: name.replace("PORT", String(host.port)) };
    const page = await get(host.port, "/", { ...wrong, cookie: host.cookie });
    expect(page.status).toBe(421);
    expect(page.headers["content-security-policy"]).not.toContain("evil");
    const token = await get(host.port, tokenPath(), wrong);
    expect(token.status).toBe(421);
    expect(token.headers["set-cookie"]).toBeUndefined();
    await expect(
      openSocket(host, { ...wrong, cookie: host.cookie, origin: `http://${wrong.host}` }),
    ).rejects.toThrow("421");
  });

  test("localhost is a name of ours too, with its own origin", async () => {
    const name = `localhost:${host.port}`;
    expect((await get(host.port, "/", { host: name, cookie: host.cookie })).status).toBe(200);
    const socket = await openSocket(host, { host: name, origin: `http://${name}`, cookie: host.cookie });
    socket.terminate();
    await expect(openSocket(host, { host: name, origin: host.origin, cookie: host.cookie })).rejects.toThrow(
      "403",
    );
  });

  test.each([
    undefined,
    "null",
    "https://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "https://127.0.0.1:PORT",
    "http://127.0.0.1:PORT/",
    "http://127.0.0.1:PORT.evil.example",
  ])("a WebSocket from Origin %s is refused", async (origin) => {
    const given = origin === undefined ? {} : { origin: origin.replace("PORT", String(host.port)) };
    await expect(openSocket(host, { cookie: host.cookie, ...given })).rejects.toThrow("403");
  });

  test("a WebSocket without the cookie, or elsewhere, is refused", async () => {
    await expect(openSocket(host, { origin: host.origin })).rejects.toThrow("403");
    await expect(openSocket(host, { origin: host.origin, cookie: `${host.cookie}x` })).rejects.toThrow("403");
    await expect(openSocket(host, undefined, "/other")).rejects.toThrow("404");
  });

  test("another port's page cannot fetch or embed; a link from elsewhere is asked once more", async () => {
    const from = (site: string, mode: string) => ({
      cookie: host.cookie,
      "sec-fetch-site": site,
      "sec-fetch-mode": mode,
    });
    expect((await get(host.port, "/icon.svg", from("same-site", "no-cors"))).status).toBe(403);
    expect((await get(host.port, "/", from("cross-site", "cors"))).status).toBe(403);
    expect((await get(host.port, "/", from("same-origin", "cors"))).status).toBe(200);
    expect((await get(host.port, "/", from("cross-site", "navigate"))).status).toBe(200);
    const link = await get(host.port, "/", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" });
    expect(link.body.toString()).toContain('http-equiv="refresh"');
    const again = await get(host.port, "/", {
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "navigate",
    });
    expect(again.status).toBe(403);
    expect(again.body.toString()).not.toContain("refresh");
  });
});
