import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import process from "node:process";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fedfleet } from "#test/integration/command.ts";
import { inChromium, launchBrowser, watchContext, whyNoBrowser } from "./browser.ts";
import { type ServedLab, serveLab } from "./served-lab.ts";

describe.skipIf(whyNoBrowser !== undefined)(inChromium("who may not look into the lab"), () => {
  let browser: Browser;
  let lab: ServedLab;
  let stranger: Server;
  let strangeOrigin = "";
  let context: BrowserContext;
  beforeAll(async () => {
    browser = await launchBrowser();
    lab = await serveLab();
    // Another program of this computer that shows a page to the same browser.
    stranger = createServer((_, response) => {
      response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>stranger</title>");
    });
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    strangeOrigin = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    // The browser holds the lab's cookie, as it does while its user looks at the lab.
    context = await browser.newContext();
    const own = await context.newPage();
    await own.goto(lab.url);
    await own.getByRole("heading", { level: 1, name: "Studies" }).waitFor();
  });
  afterAll(async () => {
    await browser.close();
    stranger.close();
    await lab.remove();
  });

  /** How a WebSocket to the lab ends when this page opens it. */
  const socketFrom = (page: Page): Promise<string> =>
    page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket("ws://127.0.0.1:${lab.port}/lab");
      socket.onopen = () => resolve("open");
      socket.onclose = (event) => resolve("closed " + event.code);
    })`);

  test("the lab's own page has its socket, and its address keeps no token", async () => {
    const own = context.pages()[0]!;
    expect(await socketFrom(own)).toBe("open");
    expect(own.url()).not.toContain("token");
    const [cookie] = await context.cookies(lab.origin);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
    expect(await own.evaluate("document.cookie")).toBe("");
  });

  test("a page of another origin in the same browser opens no socket, reads nothing, frames nothing", async () => {
    const page = await context.newPage();
    await page.goto(strangeOrigin);
    expect(await socketFrom(page)).toBe("closed 1006");
    const script = await (await context.pages()[0]!.$("script[src]"))?.getAttribute("src");
    for (const path of ["/", script ?? ""]) {
      const address = new URL(path, lab.origin).href;
      for (const mode of ["cors", "no-cors"]) {
        const got = await page.evaluate(
          `fetch(${JSON.stringify(address)}, { credentials: "include", mode: "${mode}" })
             .then(async (answer) => answer.type + " " + (await answer.text()).length, () => "failed")`,
        );
        expect(got, `${mode} ${path}`).toBe("failed");
      }
    }
    const loaded = await page.evaluate(
      `new Promise((resolve) => {
        const script = document.createElement("script");
        script.src = ${JSON.stringify(new URL(script ?? "", lab.origin).href)};
        script.onload = () => resolve("ran");
        script.onerror = () => resolve("refused");
        document.head.append(script);
      })`,
    );
    expect(loaded).toBe("refused");
    const frame = await page.evaluate(
      `new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.src = ${JSON.stringify(`${lab.origin}/`)};
        frame.onload = () => resolve("loaded");
        document.body.append(frame);
      })`,
    );
    expect(frame).toBe("loaded"); // the browser's own page of refusal
    expect(page.frames().find((f) => f.url().startsWith(lab.origin))).toBeUndefined();
    // Its window has no handle on the lab's either.
    const [popup] = await Promise.all([
      page.waitForEvent("popup"),
      page.evaluate(`void (window.opened = window.open(${JSON.stringify(`${lab.origin}/`)}))`),
    ]);
    await popup.waitForLoadState();
    expect(await page.evaluate("window.opened.closed")).toBe(true);
    await popup.close();
    await page.close();
  });

  test("a link on a page of another site leads to the lab, for whoever has its cookie alone", async () => {
    const page = await context.newPage();
    const watch = watchContext(context);
    await page.goto(strangeOrigin.replace("127.0.0.1", "localhost"));
    await page.evaluate(`void (document.body.innerHTML = '<a href="${lab.origin}/">the lab</a>')`);
    await page.getByRole("link", { name: "the lab" }).click();
    await page.getByRole("heading", { level: 1, name: "Studies" }).waitFor();
    await page.close();
    expect(watch.problems).toEqual([]);
    const other = await browser.newContext();
    const strange = await other.newPage();
    expect((await strange.goto(`${lab.origin}/`))?.status()).toBe(403);
    await strange.getByText("Open the whole address that the terminal shows").waitFor();
    await other.close();
  });

  test("a wrong token shows how to get in, and gives no cookie", async () => {
    const other = await browser.newContext();
    const page = await other.newPage();
    const answer = await page.goto(`${lab.origin}/?token=wrong`);
    expect(answer?.status()).toBe(403);
    await page.getByRole("heading", { name: "open the address from the terminal" }).waitFor();
    expect(await other.cookies()).toEqual([]);
    expect(await socketFrom(page)).toBe("closed 1006");
    await other.close();
  });

  /** Sends it as it stands. @returns the status line */
  const raw = (lines: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(lab.port, "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
      let text = "";
      socket.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        if (!text.includes("\r\n")) return;
        socket.destroy();
        resolve(text.slice(0, text.indexOf("\r\n")));
      });
      socket.on("error", reject);
    });

  test("a name that was made to lead here (DNS rebinding) is answered with nothing of the lab", async () => {
    const [cookie] = await context.cookies(lab.origin);
    const pair = `Cookie: ${cookie?.name}=${cookie?.value}`;
    const upgrade = [
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ];
    const host = `127.0.0.1:${lab.port}`;
    expect(await raw(["GET / HTTP/1.1", `Host: ${host}`, pair])).toContain(" 200 ");
    for (const name of ["evil.example", `evil.example:${lab.port}`, "127.0.0.1", "127.0.0.1:1"]) {
      expect(await raw(["GET / HTTP/1.1", `Host: ${name}`, pair]), name).toContain(" 421 ");
      const asked = ["GET /lab HTTP/1.1", `Host: ${name}`, `Origin: http://${name}`, pair, ...upgrade];
      expect(await raw(asked), name).toContain(" 421 ");
    }
    const origin = (value: string) => [
      "GET /lab HTTP/1.1",
      `Host: ${host}`,
      `Origin: ${value}`,
      pair,
      ...upgrade,
    ];
    expect(await raw(origin(lab.origin))).toContain(" 101 ");
    for (const strange of ["null", strangeOrigin, `https://${host}`, `http://localhost:${lab.port}`]) {
      expect(await raw(origin(strange)), strange).toContain(" 403 ");
    }
  });

  test("an unknown message ends its own socket, and no other", async () => {
    const own = context.pages()[0]!;
    for (const message of [
      '"hello"',
      '"{}"',
      "new Uint8Array([1, 2, 3])",
      '\'{"i":"1","p":{"u":"//evil.example/x"}}\'',
    ]) {
      const ended = await own.evaluate(
        `new Promise((resolve) => {
          const socket = new WebSocket("ws://127.0.0.1:${lab.port}/lab");
          socket.onopen = () => socket.send(${message});
          socket.onclose = (event) => resolve(event.code);
        })`,
      );
      expect(ended, message).toBe(1003);
    }
    // A question that the lab does not know is answered as such.
    const answer = await own.evaluate(
      `new Promise((resolve) => {
        const socket = new WebSocket("ws://127.0.0.1:${lab.port}/lab");
        socket.onopen = () => socket.send('{"i":"1","p":{"u":"/lab/shutdown","b":{}}}');
        socket.onmessage = (event) => resolve(event.data);
      })`,
    );
    expect(JSON.parse(String(answer))).toMatchObject({ i: "1", p: { s: 404 } });
    await own.getByText("Server ready").waitFor();
    expect(lab.said()).not.toContain("Error");
  });

  test("a second process on the same directory is refused, and says where the lab is", async () => {
    const second = await fedfleet(["serve", "--no-open", "--port", "0", "--data-dir", lab.dataDir]);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(lab.url);
    expect(second.stderr).toContain(String(lab.pid));
    expect(() => process.kill(lab.pid, 0)).not.toThrow();
  });
});
