import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import type { LabEventBody } from "#contract/events.ts";
import type { Tensor } from "#contract/tensor.ts";
import type { Admission } from "#main/aggregator/admission.ts";
import { type Aggregator, createAggregator, type Session } from "#main/aggregator/aggregator.ts";
import { prepareParameters } from "#main/wire/parameters.ts";
import { FLWR_VERSIONS, type FlwrVersion, pythonOf } from "#test/setup/flwr.ts";

/** Unmodified Flower clients from PyPI against the server by itself; `test/setup/install.sh` installs them. */
const missing = FLWR_VERSIONS.filter((v) => !existsSync(pythonOf(v)));
const suite =
  missing.length === 0
    ? "unmodified Flower clients"
    : `unmodified Flower clients (not installed: ${missing.join(", ")})`;
const SCRIPT = fileURLToPath(new URL("./flwr_client.py", import.meta.url));
const UPDATE_ELEMENTS = 11_173_962;

interface Flower {
  readonly version: FlwrVersion;
  readonly exit: Promise<{ code: number | null; stderr: string }>;
  /** What it said on standard output, so far. */
  readonly said: { event: string; [key: string]: unknown }[];
}

const running = new Set<ChildProcess>();
const servers = new Set<Aggregator>();
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  for (const server of servers) await server.close({ deadlineMs: 100 });
  running.clear();
  servers.clear();
});

const startFlower = (version: FlwrVersion, address: string, ...args: string[]): Flower => {
  const child = spawn(pythonOf(version), [SCRIPT, "--server", address, ...args], {
    env: { ...process.env, FLWR_TELEMETRY_ENABLED: "0" },
  });
  running.add(child);
  const said: Flower["said"] = [];
  let line = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (line + text).split("\n");
    line = lines.pop()!;
    for (const l of lines) said.push(JSON.parse(l));
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exit = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code, stderr });
    });
  });
  return { version, exit, said };
};

const startServer = async (admission: Admission, tls?: { cert: Buffer; key: Buffer }) => {
  const events: LabEventBody[] = [];
  const aggregator = createAggregator({ emit: (e) => void events.push(e), admission });
  servers.add(aggregator);
  const { port } = await aggregator.listen({
    host: "127.0.0.1",
    port: 0,
    ...(tls === undefined ? {} : { tls }),
  });
  const joined = (count: number): Promise<readonly Session[]> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (aggregator.sessions().length < count) return;
        off();
        resolve(aggregator.sessions());
      };
      const off = aggregator.onChange(look);
      look();
    });
  return { aggregator, events, port, joined };
};

const sha256 = (tensors: readonly Tensor[]): string => {
  const hash = createHash("sha256");
  for (const t of tensors) hash.update(t.bytes);
  return hash.digest("hex");
};

const numbers = (t: Tensor): number[] => {
  const copy = t.bytes.slice().buffer;
  if (t.dtype === "float32") return [...new Float32Array(copy)];
  if (t.dtype === "float64") return [...new Float64Array(copy)];
  return [...new BigInt64Array(copy)].map(Number);
};

describe.skipIf(missing.length > 0 && process.env.CI !== "true")(suite, { timeout: 480_000 }, () => {
  test("0.19.0, 1.11.1 and 1.41.0 in one server at once: two rounds of 45 MB, then Reconnect 0 and exit 0", async () => {
    const { aggregator, port, joined } = await startServer({ kind: "open" });
    const flowers = FLWR_VERSIONS.map((v) =>
      startFlower(
        v,
        `127.0.0.1:${port}`,
        "--elements",
        String(UPDATE_ELEMENTS),
        "--seed",
        "3",
        "--examples",
        "20",
      ),
    );
    const sessions = await joined(3);
    expect(sessions.map((s) => s.dialect).sort()).toEqual(["flwr", "flwr", "transport"]);

    const first = await sessions[0]!.request({ kind: "getParameters", config: {} });
    if (!first.ok || first.value.message.kind !== "parameters") throw new Error("no parameters");
    let weights: Tensor[] = first.value.message.parameters.map((t) => ({ ...t, bytes: t.bytes.slice() }));
    first.value.release();
    expect(weights.map((t) => [t.dtype, t.shape])).toEqual([
      ["float32", [UPDATE_ELEMENTS]],
      // Saved in Fortran order by the client; C order here.
      ["float64", [2, 3]],
      ["int64", []],
      ["float32", [0, 3]],
    ]);
    expect(numbers(weights[1]!)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(numbers(weights[2]!)).toEqual([3]);

    const received: string[] = [];
    for (let round = 1; round <= 2; round++) {
      const parameters = prepareParameters(weights);
      received.push(sha256(weights));
      const next: Tensor[][] = [];
      await Promise.all(
        sessions.map(async (session) => {
          const config = {
            epochs: { kind: "int", value: -2 },
            lr: { kind: "double", value: 0.5 },
            pin_memory: { kind: "bool", value: false },
            optimizer: { kind: "string", value: "sgd" },
            raw: { kind: "bytes", value: Uint8Array.of(0, 255) },
          } as const;
          const fit = await session.request({ kind: "fit", parameters, config });
          if (!fit.ok || fit.value.message.kind !== "fit") throw new Error(`no fit: ${JSON.stringify(fit)}`);
          const { message, bytesUp, release } = fit.value;
          expect(bytesUp).toBeGreaterThan(4 * UPDATE_ELEMENTS);
          expect(message).toMatchObject({
            examples: 20,
            metrics: {
              big: -(2 ** 40),
              name: "café",
              fine: true,
              first: round + 2,
              duration: expect.any(Number),
            },
          });
          next.push(message.parameters.map((t) => ({ ...t, bytes: t.bytes.slice() })));
          release();
          const evaluated = await session.request({ kind: "evaluate", parameters, config: {} });
          if (!evaluated.ok || evaluated.value.message.kind !== "evaluate") throw new Error("no evaluate");
          expect(evaluated.value.message).toMatchObject({ examples: 20, metrics: { accuracy: 0.5 } });
          expect(evaluated.value.message.loss).toBeGreaterThan(0);
          evaluated.value.release();
        }),
      );
      // Every version adds 1 to what it got.
      for (const tensors of next) {
        expect(sha256(tensors)).toBe(sha256(next[0]!));
        expect(numbers(tensors[1]!)).toEqual([0, 1, 2, 3, 4, 5].map((n) => n + round));
        expect(numbers(tensors[2]!)).toEqual([3 + round]);
        expect(tensors[3]!.shape).toEqual([0, 3]);
      }
      weights = next[0]!;
    }

    await aggregator.close();
    for (const { version, exit, said } of flowers) {
      const { code, stderr } = await exit;
      expect(code, `flwr ${version}: ${stderr}`).toBe(0);
      const fits = said.filter((e) => e.event === "fit");
      expect(fits.map((e) => e.received)).toEqual(received);
      expect(fits[0]!.config).toEqual({
        epochs: "-2",
        lr: "0.5",
        pin_memory: "False",
        optimizer: "'sgd'",
        raw: "b'\\x00\\xff'",
      });
      expect(said.filter((e) => e.event === "evaluate").map((e) => e.received)).toEqual(received);
      expect(said.at(-1)).toMatchObject({ event: "end" });
    }
  });

  test("Reconnect 1: each rejoins by itself a second later, and takes part again", async () => {
    const { aggregator, events, port, joined } = await startServer({ kind: "open" });
    const flowers = FLWR_VERSIONS.map((v) => startFlower(v, `127.0.0.1:${port}`));
    const before = await joined(3);
    await Promise.all(before.map((s) => aggregator.disconnect(s.device, 1)));
    expect(aggregator.sessions()).toEqual([]);
    const after = await joined(3);
    const zero = { dtype: "float32", shape: [4], bytes: new Uint8Array(16) } as const;
    const results = await Promise.all(
      after.map((s) => s.request({ kind: "evaluate", parameters: [zero], config: {} })),
    );
    expect(results.map((r) => r.ok)).toEqual([true, true, true]);
    expect(events.filter((e) => e.kind === "device-joined")).toHaveLength(6);
    await aggregator.close();
    for (const { exit } of flowers) expect(await exit).toMatchObject({ code: 0 });
  });

  test("a join token as a property: the right one comes in, the wrong one ends with an error of its own", async () => {
    const { aggregator, events, port, joined } = await startServer({ kind: "token", token: "Gänseblümchen" });
    const flowers = FLWR_VERSIONS.map((v) => startFlower(v, `127.0.0.1:${port}`, "--token", "Gänseblümchen"));
    await joined(3);
    const strangers = FLWR_VERSIONS.map((v) => startFlower(v, `127.0.0.1:${port}`, "--token", "Unkraut"));
    for (const { version, exit } of strangers) {
      const { code, stderr } = await exit;
      expect(code, `flwr ${version}`).not.toBe(0);
      expect(stderr).toContain("PERMISSION_DENIED");
    }
    expect(aggregator.sessions()).toHaveLength(3);
    const refused = events.flatMap((e) => (e.kind === "device-refused" ? [e.failure.code] : []));
    expect(refused).toEqual(["bad-token", "bad-token", "bad-token"]);
    await aggregator.close();
    for (const { exit } of flowers) expect(await exit).toMatchObject({ code: 0 });
  });

  test("TLS with a certificate of one's own", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fedfleet-tls-"));
    const file = (name: string): string => join(folder, name);
    execFileSync(
      "openssl",
      "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout"
        .split(" ")
        .concat(file("key.pem"), "-out", file("cert.pem")),
      { stdio: "ignore" },
    );
    const tls = { cert: readFileSync(file("cert.pem")), key: readFileSync(file("key.pem")) };
    const { aggregator, port, joined } = await startServer({ kind: "open" }, tls);
    const flowers = FLWR_VERSIONS.map((v) => startFlower(v, `localhost:${port}`, "--ca", file("cert.pem")));
    const sessions = await joined(3);
    const big = { dtype: "float32", shape: [1_000_000], bytes: new Uint8Array(4_000_000) } as const;
    for (const session of sessions) {
      const result = await session.request({ kind: "fit", parameters: [big], config: {} });
      expect(result).toMatchObject({ ok: true, value: { message: { examples: 10 } } });
      if (result.ok) result.value.release();
    }
    await aggregator.close();
    for (const { exit } of flowers) expect(await exit).toMatchObject({ code: 0 });
    rmSync(folder, { recursive: true });
  });

  test("a client whose fit raises: one failure with its stage, the others go on", async () => {
    const { aggregator, port, joined } = await startServer({ kind: "open" });
    const bad = startFlower("1.11.1", `127.0.0.1:${port}`, "--crash-in-fit");
    const [badSession] = await joined(1);
    const good = startFlower("0.19.0", `127.0.0.1:${port}`);
    const goodSession = (await joined(2)).find((s) => s !== badSession)!;
    const tensor = { dtype: "float32", shape: [4], bytes: new Uint8Array(16) } as const;
    const fit = { kind: "fit", parameters: [tensor], config: {} } as const;
    const [failed, folded] = await Promise.all([badSession!.request(fit), goodSession.request(fit)]);
    expect(failed).toMatchObject({
      ok: false,
      failure: {
        code: "connection-lost",
        stage: "fit",
        device: "external-1",
        next: expect.stringContaining("log"),
      },
    });
    expect(folded.ok).toBe(true);
    expect((await bad.exit).code).not.toBe(0);
    await aggregator.close();
    expect((await good.exit).code).toBe(0);
  });
});
