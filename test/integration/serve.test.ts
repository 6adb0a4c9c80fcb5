import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/websocket";
import type { ContractRouterClient } from "@orpc/contract";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { LabContract } from "#contract/lab-contract.ts";
import { fedfleet, type Started, scratchFolder, startFedfleet } from "./command.ts";

const folders: (() => void)[] = [];
const running: Started[] = [];
afterEach(async () => {
  for (const { child, done } of running.splice(0)) {
    child.kill("SIGKILL");
    await done;
  }
  for (const remove of folders.splice(0)) remove();
});

const serve = async (dataDir: string, ...options: string[]) => {
  const started = startFedfleet(["serve", "--data-dir", dataDir, "--port", "0", "--no-open", ...options]);
  running.push(started);
  let stdout = "";
  started.child.stdout?.on("data", (text) => {
    stdout += text;
  });
  await started.said("The lab is open");
  while (!stdout.includes("\n")) await new Promise((resolve) => setTimeout(resolve, 10));
  const url = new URL(stdout.split("\n")[0]!);
  const traded = await fetch(url, { redirect: "manual" });
  const cookie = traded.headers.get("set-cookie")?.split(";")[0] ?? "";
  return { ...started, url, cookie };
};

const connect = (url: URL, cookie: string) => {
  const socket = new WebSocket(`ws://${url.host}/lab`, { headers: { origin: url.origin, cookie } });
  const client: ContractRouterClient<LabContract> = createORPCClient(
    new RPCLink({ websocket: socket as unknown as globalThis.WebSocket }),
  );
  return { socket, client };
};

const scratch = (): string => {
  const { path, remove } = scratchFolder();
  folders.push(remove);
  return join(path, "lab");
};

describe("fedfleet serve", () => {
  test("serves the built page and the lab behind it; a second process is told where; Ctrl-C closes it", async () => {
    const dataDir = scratch();
    const { url, cookie, child, done } = await serve(dataDir);
    const page = await fetch(new URL("/", url), { headers: { cookie } });
    expect(page.status).toBe(200);
    const script = /src="\.?(\/[^"]+\.js)"/.exec(await page.text())?.[1];
    expect((await fetch(new URL(script ?? "/none", url), { headers: { cookie } })).status).toBe(200);

    const { socket, client } = connect(url, cookie);
    const view = await client.lab.view();
    expect(view).toMatchObject({ host: "browser", dataDir, pid: child.pid });

    const file = join(dataDir, "serving.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ pid: child.pid, url: url.href });
    for (const args of [["serve"], ["run", "examples/demo.yaml"]]) {
      const second = await fedfleet([...args, "--data-dir", dataDir]);
      expect(second.code).toBe(2);
      expect(second.stdout).toBe("");
      expect(second.stderr).toContain(`process ${child.pid}`);
      expect(second.stderr).toContain(url.href);
    }

    const goodbye = new Promise<number>((resolve) => socket.on("close", resolve));
    child.kill("SIGINT");
    expect(await goodbye).toBe(1001);
    expect(await done).toMatchObject({ code: 0 });
    expect(existsSync(file)).toBe(false);
  });

  test("Ctrl-C during a study stops it now, and says that it can be resumed", async () => {
    const dataDir = scratch();
    const { url, cookie, child, done } = await serve(dataDir);
    const { client } = connect(url, cookie);
    const { study } = await client.studies.start({
      study: {
        name: "long",
        task: "classification",
        dataset: "fashion-mnist-sample",
        model: "Net",
        algorithms: ["fedavg"],
        partition: { kind: "iid" },
        fleet: { virtual: 2 },
        rounds: 500,
        optimizer: { kind: "sgd", lr: 0.05, momentum: 0.9, weightDecay: 0 },
        sampling: { fraction: 1, minFit: 2, minAvailable: 2 },
      },
    });
    for (let rounds = 0; rounds < 2; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const { study: view } = await client.studies.get({ study });
      const curves = await client.studies.curves({ runs: view.runs.map((run) => run.id) });
      rounds = Math.max(0, ...curves.flatMap((curve) => curve.round));
    }
    child.kill("SIGINT");
    const ended = await done;
    expect(ended.code).toBe(130);
    expect(ended.stderr).toMatch(/long stops now and can be resumed later/);
    const list = await fedfleet(["list", "--data-dir", dataDir, "--json"]);
    expect(JSON.parse(list.stdout)).toMatchObject([{ id: study, status: "interrupted" }]);
  });

  test("an exact port that is taken is an error that names it", async () => {
    const { url } = await serve(scratch());
    const second = await fedfleet(["serve", "--data-dir", scratch(), "--port", url.port, "--no-open"]);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(`--port ${url.port}`);
  });
});
