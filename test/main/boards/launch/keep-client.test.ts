import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "#main/boards/docker/engine.ts";
import { sweep, sweepWhenItAnswers } from "#main/boards/launch/sweep.ts";
import { named, skip } from "#test/main/boards/ssh/ssh-lab.ts";
import { canMakeBoards } from "#test/setup/test-boards.ts";
import { createLaunchLab, type Kept, type LaunchLab, loadShellImage, until } from "./launch-lab.ts";

const NO_BOARDS = canMakeBoards();
const sha = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const ended = ({ events }: Kept) => events.filter(({ state }) => state === "ended");

describe.skipIf(skip(NO_BOARDS))(named("a client on a board, kept there", NO_BOARDS), () => {
  let lab: LaunchLab;
  const stop: Kept[] = [];
  beforeAll(async () => {
    lab = await createLaunchLab();
    await loadShellImage(lab.board.engine);
  }, 120_000);
  afterAll(async () => lab?.close());
  afterEach(async () => {
    for (const { client, bugs } of stop.splice(0)) {
      await client.stop(false);
      expect(bugs).toEqual([]);
    }
    expect(await lab.board.containers()).toEqual([]);
  });
  const keep = (...options: Parameters<LaunchLab["keep"]>): Kept => {
    const kept = lab.keep(...options);
    stop.push(kept);
    return kept;
  };
  const docker = (...args: string[]) => lab.board.engine.docker(...args);
  const containers = () => lab.board.containers();
  const isRunning =
    ({ client }: Kept, restarts = 0) =>
    () =>
      client.view().state === "running" && client.view().restarts === restarts;

  test("runs with no network and no rights, tells what it prints, and leaves nothing behind", async () => {
    lab.does(`echo "args: $*"
echo "id: $(id -u):$(id -g)"; echo "net: $(ls /sys/class/net)"
touch /x 2>&1; touch /tmp/y && touch /fedfleet/state/z && echo writable
touch /fedfleet/data/q 2>&1; grep CapEff /proc/self/status; ls -l /fedfleet/run
echo '{"event":"progress","run":"r1","round":2,"fraction":0.5,"loss":1}'
echo '{"event":"ready"}'; echo oops >&2; printf 'no end'; sleep 0.2; trap "exit 0" TERM; sleep 600 & wait`);
    const kept = keep();
    await until("it runs", isRunning(kept));
    await until("it spoke", () => kept.lines.some(({ text }) => text === "oops"));
    const { uid, gid } = lab.board.account;
    const out = kept.lines.filter(({ stream }) => stream === "stdout").map(({ text }) => text);
    expect(out[0]).toBe(
      "args: --server-address unix:/fedfleet/run/s:1 --cid pi-1 --model Net --batch-size 50 --data-dir /fedfleet/data --part /fedfleet/parts/s1.json --state-dir /fedfleet/state --device cpu",
    );
    expect(out).toEqual(
      expect.arrayContaining([`id: ${uid}:${gid}`, "net: lo", "writable", '{"event":"ready"}']),
    );
    expect(out.filter((line) => /Read-only file system/.test(line))).toHaveLength(2);
    expect(out.find((line) => line.startsWith("CapEff"))).toMatch(/CapEff:\s+0+$/);
    expect(out.find((line) => line.endsWith("s:1"))).toMatch(/^srw/);
    expect(kept.lines).toContainEqual(expect.objectContaining({ stream: "stderr", text: "oops" }));
    expect(kept.progress).toEqual([{ run: "r1", round: 2, fraction: 0.5 }]);
    expect(out.join()).not.toContain("progress");
    const [name] = await containers();
    expect(name).toMatch(/^fedfleet-pi-1-[0-9a-f]{6}$/);
    expect(kept.client.view()).toMatchObject({ state: "running", container: name, study: "s1", run: "r1" });
    const labels = JSON.parse(await docker("inspect", "--format", "{{json .Config.Labels}}", name!));
    expect(labels).toMatchObject({
      "org.fedfleet.lab": "lab-of-test",
      "org.fedfleet.study": "s1",
      "org.fedfleet.run": "r1",
      "org.fedfleet.device": "pi-1",
    });
    const begun = performance.now();
    await kept.client.stop(false);
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(await containers()).toEqual([]);
    expect(readdirSync(lab.onBoard("run"))).toEqual([]);
    expect(kept.events.map(({ state }) => state)).toEqual(["launched", "removed"]);
    expect(kept.client.view()).toMatchObject({ state: "exited" });
  });

  test("one that was sent away has the time to end by itself", async () => {
    lab.does(`trap "" TERM; sleep 1.5; touch /fedfleet/state/said-goodbye; exit 0`);
    const kept = keep();
    await until("it runs", isRunning(kept));
    await kept.client.stop(true);
    expect(statSync(lab.onBoard("state", "s1", "said-goodbye")).size).toBe(0);
    expect(kept.events.map(({ state }) => state)).toEqual(["launched", "removed"]);
  });

  test("one that does not end although it was sent away is ended", async () => {
    lab.does(`trap "" TERM; sleep 60`);
    const kept = keep({ timing: { politeMs: 500 } });
    await until("it runs", isRunning(kept));
    await kept.client.stop(true);
    expect(await containers()).toEqual([]);
  });

  test("docker kill is named and mended", async () => {
    lab.does("");
    const kept = keep();
    await until("it runs", isRunning(kept));
    const killed = performance.now();
    await docker("kill", kept.client.view().container!);
    await until("it is known", () => kept.client.problem() !== undefined, 3000);
    expect(performance.now() - killed).toBeLessThan(3000);
    expect(kept.client.problem()).toMatchObject({ code: "client-killed", title: "The client was killed" });
    await until("it runs again", isRunning(kept, 1));
    expect(kept.client.problem()).toBeUndefined();
    expect(kept.client.view()).not.toHaveProperty("problem");
    expect(kept.client.view()).not.toHaveProperty("lastLines");
    expect(ended(kept)).toMatchObject([{ exitCode: 137, problem: { code: "client-killed" } }]);
    expect(await containers()).toHaveLength(1);
  });

  test("docker rm -f is named and mended", async () => {
    const kept = keep();
    await until("it runs", isRunning(kept));
    await docker("rm", "--force", kept.client.view().container!);
    await until("it runs again", isRunning(kept, 1));
    expect(ended(kept)).toMatchObject([{ problem: { code: "client-killed" } }]);
  });

  test("an engine that is restarted is named within 10 s, and the client runs again", async () => {
    lab.does("");
    const kept = keep();
    await until("it runs", isRunning(kept));
    const stopped = performance.now();
    await lab.board.engine.stop();
    await until("it is known", () => kept.client.problem() !== undefined, 10_000);
    expect(performance.now() - stopped).toBeLessThan(10_000);
    expect(kept.client.problem()).toMatchObject({ code: "docker-stopped" });
    await wait(1500);
    expect(kept.client.problem()).toMatchObject({ code: "docker-stopped" });
    await lab.board.engine.start();
    await until("it runs again", isRunning(kept, 1));
    expect(ended(kept).map(({ problem }) => problem?.code)).toEqual(["docker-stopped"]);
    expect(await containers()).toHaveLength(1);
  });

  test("an engine that crashes is named as well", async () => {
    const kept = keep();
    await until("it runs", isRunning(kept));
    await lab.board.engine.stop("SIGKILL");
    await until("it is known", () => kept.client.problem() !== undefined, 10_000);
    expect(kept.client.problem()).toMatchObject({ code: "docker-stopped" });
    await lab.board.engine.start();
    await until("it runs again", isRunning(kept, 1));
    expect(await containers()).toHaveLength(1);
  });

  test("a killed SSH session: its channels are cut at once, and the client is started anew when the board is back", async () => {
    const kept = keep();
    await until("it runs", isRunning(kept));
    const before = await containers();
    const killed = performance.now();
    await lab.board.sshd.killSessions();
    await until("it waits", () => kept.client.view().state === "waiting", 2000);
    await until("it runs again", isRunning(kept, 1));
    expect(performance.now() - killed).toBeLessThan(5000);
    const after = await containers();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
    expect(ended(kept)).toEqual([]);
  });

  test("what cannot mend itself waits for a person; what is restarted by one runs at once", async () => {
    lab.does(
      `echo '{"event":"error","code":2,"message":"the model Nut is unknown","next":"Take Net."}'; exit 2`,
    );
    const kept = keep();
    await until("it is given up", () => kept.client.view().state === "exited");
    expect(kept.client.view()).toMatchObject({
      exitCode: 2,
      problem: { code: "bad-configuration", cause: "the model Nut is unknown", next: "Take Net." },
      lastLines: [expect.stringContaining("Nut")],
    });
    await wait(800);
    expect(kept.events.map(({ state }) => state)).toEqual(["launched", "ended"]);
    lab.does("");
    kept.client.restart();
    await until("it runs", isRunning(kept, 1));
    const first = kept.client.view().container;
    kept.client.restart();
    await until("another runs", isRunning(kept, 2));
    expect(kept.client.view().container).not.toBe(first);
    expect(await containers()).toHaveLength(1);
  });

  test("a person holds it, and lets it go on", async () => {
    const kept = keep();
    await until("it runs", isRunning(kept));
    await kept.client.hold("stop");
    expect(kept.client.view().state).toBe("exited");
    expect(await containers()).toHaveLength(1);
    expect(await docker("ps", "--quiet")).toBe("");
    await kept.client.hold("remove");
    expect(await containers()).toEqual([]);
    await wait(500);
    expect(kept.client.view().state).toBe("exited");
    kept.client.restart();
    await until("it runs", isRunning(kept, 1));
  });

  test("data that the client finds damaged are checked and sent once more, then it is given up", async () => {
    lab.does("exit 11");
    let parts = 0;
    const kept = keep({
      part: async () => {
        parts++;
        return { json: "{}", files: [] };
      },
    });
    await until("it is given up", () => kept.client.view().state === "exited");
    expect(ended(kept).map(({ problem }) => problem?.code)).toEqual(["data-damaged", "data-damaged"]);
    expect(parts).toBe(1);
  });

  test("a home that is too small for its data is named with numbers; with more room the client runs by itself", async () => {
    lab.does("");
    const { home, uid, gid } = lab.board.account;
    const bytes = randomBytes(20_000_000);
    const sha256 = sha(bytes);
    const local = mkdtempSync(join(tmpdir(), "fedfleet-part-"));
    writeFileSync(join(local, "part"), bytes);
    const files = [{ sha256, bytes: bytes.length, path: join(local, "part") }];
    const mount = (...args: string[]) => execFileSync("mount", ["-t", "tmpfs", ...args, "tmpfs", home]);
    mount("-o", `size=30m,uid=${uid},gid=${gid},mode=700`);
    try {
      const kept = keep({ part: async () => ({ json: "{}", files }) });
      await until("it is named", () => kept.client.problem() !== undefined);
      expect(kept.client.problem()).toMatchObject({
        code: "disk-full",
        title: expect.stringMatching(/^36\.8 MB are needed, 31\.\d MB are free$/),
      });
      expect(kept.client.view()).toMatchObject({ state: "waiting", retryAt: expect.any(String) });
      // There was room when it was looked at, but something else takes it meanwhile.
      mount("-o", "remount,size=50m");
      const other = join(home, "other");
      const there = () => lab.onBoard("data", `${sha256}.part`);
      await until("it is sent", () => existsSync(there()) && statSync(there()).size > 0);
      try {
        writeFileSync(other, Buffer.alloc(50_000_000));
      } catch {
        // as much as there was
      }
      await until("it is refused", () =>
        /disk is full|no space left/i.test(kept.client.problem()?.raw ?? ""),
      );
      expect(kept.client.problem()).toMatchObject({
        code: "disk-full",
        title: expect.stringMatching(/^\d+\.\d MB are needed, \d+\.\d MB are free$/),
      });
      expect(readdirSync(lab.onBoard("data"))).toEqual([]);
      rmSync(other);
      await until("it runs", isRunning(kept));
      expect(sha(readFileSync(lab.onBoard("data", `${sha256}.npy`)))).toBe(sha256);
      // The same cause is told of once.
      expect(ended(kept).map(({ problem }) => problem?.code)).toEqual(["disk-full"]);
      await kept.client.stop(false);
    } finally {
      execFileSync("umount", ["--lazy", home]);
      rmSync(local, { recursive: true, force: true });
    }
  });

  test("a missing image is named, and no container or socket stays", async () => {
    const kept = keep({ image: () => "fedfleet-client:gone" });
    await until("it is given up", () => kept.client.view().state === "exited");
    expect(kept.client.problem()).toMatchObject({
      code: "image-missing",
      actions: expect.arrayContaining([{ do: "step", step: "image", label: "Build the image" }]),
    });
    expect(await containers()).toEqual([]);
    expect(readdirSync(lab.onBoard("run"))).toEqual([]);
  });

  test("each of its waits is longer; a bug of ours is told and tried again", async () => {
    lab.does("exit 1");
    let calls = 0;
    const bugs: unknown[] = [];
    const kept = lab.keep({
      onBug: (error) => void bugs.push(error),
      part: async () => {
        calls++;
        if (calls === 1) throw new Error("no such thing");
        return { json: "{}", files: [] };
      },
    });
    await until("it ended twice", () => ended(kept).length >= 3);
    expect(bugs).toEqual([new Error("no such thing")]);
    expect(kept.lines.find(({ stream }) => stream === "lab")?.text).toContain("no such thing.");
    expect(ended(kept).map(({ problem }) => problem?.title)).toEqual([
      "The client could not be started",
      "The client ended with exit code 1",
      "The client ended with exit code 1",
    ]);
    await kept.client.stop(false);
  });

  test("stopping in the moment in which it ended by itself takes no longer; nor does a restart get lost then", async () => {
    lab.does("sleep 0.5; exit 1");
    const kept = keep({ timing: { backOffMs: [60_000] } });
    await until("it ended", () => kept.client.problem() !== undefined);
    kept.client.restart();
    await until("it runs again", isRunning(kept, 1));
    await until("it ended again", () => kept.client.problem() !== undefined);
    const stopped = performance.now();
    await kept.client.stop(false);
    expect(performance.now() - stopped).toBeLessThan(3000);
    expect(await containers()).toEqual([]);
  });

  test("let go on while it is still being stopped: its new socket does not go with the old one", async () => {
    lab.does(`trap "" TERM; sleep 600`);
    const kept = keep();
    await until("it runs", isRunning(kept));
    const held = kept.client.hold("stop");
    kept.client.restart();
    await held;
    await until("it runs again", isRunning(kept, 1));
    await wait(500);
    expect(statSync(lab.onBoard("run", "s1", "s:1")).isSocket()).toBe(true);
    expect(await containers()).toHaveLength(1);
  });

  test("stopping while it is launched, or before the board is there, leaves nothing", async () => {
    for (const ms of [0, 150, 300, 450]) {
      const kept = keep();
      await wait(ms);
      await kept.client.stop(false);
      expect(await containers()).toEqual([]);
      expect(readdirSync(lab.onBoard("run"))).toEqual([]);
    }
  });

  test("what was left by an earlier session goes, what other labs and running studies have stays", async () => {
    const labels = (owner: string, study: string, device: string) =>
      [`lab=${owner}`, `study=${study}`, `device=${device}`].flatMap((one) => [
        "--label",
        `org.fedfleet.${one}`,
      ]);
    const run = (name: string, ...more: string[]) =>
      docker(
        "run",
        "--detach",
        "--network=none",
        "--name",
        name,
        ...more,
        "--entrypoint=sleep",
        "debian:bookworm-slim",
        "600",
      );
    await run("old", ...labels("lab-of-test", "s-old", "pi-1"));
    await run("kept", ...labels("lab-of-test", "s-kept", "pi-1"));
    await run("neighbour", ...labels("lab-of-test", "s-old", "pi-2"));
    await run("other-lab", ...labels("another", "s-old", "pi-1"));
    await run("strangers");
    const connection = await lab.now();
    await connection.run("mkdir -p .fedfleet/run/s-old && touch .fedfleet/run/s-old/s:1");
    const engine = createEngine(connection, lab.facts.docker.socket);
    const removed = await sweep(engine, connection, "lab-of-test", (study) => study === "s-kept", "pi-1");
    expect(removed).toMatchObject([{ name: "old", study: "s-old", device: "pi-1" }]);
    expect(readdirSync(lab.onBoard("run"))).toEqual([]);
    const names = async () => (await docker("ps", "--format", "{{.Names}}")).split("\n").sort();
    expect(await names()).toEqual(["kept", "neighbour", "other-lab", "strangers"]);
    const all = await sweep(engine, connection, "lab-of-test", () => false);
    expect(all.map(({ name }) => name).sort()).toEqual(["kept", "neighbour"]);
    expect(await names()).toEqual(["other-lab", "strangers"]);
    await docker("rm", "--force", "other-lab", "strangers");
  });

  test("what was left goes also where the engine starts only after the board has let us in", async () => {
    const labels = ["lab=lab-of-test", "study=s-old", "device=pi-1"];
    const args = labels.flatMap((one) => ["--label", `org.fedfleet.${one}`]);
    await docker("create", "--name", "old", ...args, "--entrypoint=sleep", "debian:bookworm-slim", "600");
    await lab.board.engine.stop();
    const connection = await lab.now();
    const engine = createEngine(connection, lab.facts.docker.socket);
    const sweeping = sweepWhenItAnswers(engine, connection, "lab-of-test", () => false, "pi-1");
    await wait(500);
    await lab.board.engine.start();
    expect(await sweeping).toMatchObject([{ name: "old" }]);
    expect(await containers()).toEqual([]);
  });
});

describe.skipIf(skip(NO_BOARDS))(named("a board whose SSH server forwards no sockets", NO_BOARDS), () => {
  test("its client gets the board's own network, and a token that tells it from strangers there", async () => {
    // Docker's socket is such a socket, too: its client's way alone is closed.
    const lab = await createLaunchLab({ config: ["AllowStreamLocalForwarding local"] });
    try {
      await loadShellImage(lab.board.engine);
      lab.does(
        `echo "args: $*"; echo "token: $FEDFLEET_JOIN_TOKEN"; bash -c 'exec 3<>/dev/tcp/'$(echo "$2" | tr : /)' && echo hi >&3; sleep 600'`,
      );
      const tokens: (string | undefined)[] = [];
      const kept = lab.keep({
        accept: (channel, options) => {
          tokens.push(options?.token);
          channel.on("error", () => {});
          return () => channel.destroy();
        },
      });
      await until("it came through", () => tokens.length === 1);
      const said = (start: string) => kept.lines.find(({ text }) => text.startsWith(start))?.text ?? "";
      await until("it has said so", () => said("token") !== "");
      expect(said("args")).toMatch(/--server-address 127\.0\.0\.1:\d+ --cid/);
      expect(tokens[0]).toMatch(/^[\w-]{32}$/);
      expect(said("token")).toBe(`token: ${tokens[0]}`);
      await kept.client.stop(false);
      expect(await lab.board.containers()).toEqual([]);
      expect(kept.bugs).toEqual([]);
    } finally {
      await lab.close();
    }
  });
});
