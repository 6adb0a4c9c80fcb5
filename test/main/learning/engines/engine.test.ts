import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { listEngines } from "#main/learning/engines/engine.ts";
import { defaultEngineDir, packageInEngineDir } from "#main/learning/engines/folder.ts";
import { installEngine } from "#main/learning/engines/install-engine.ts";
import { whyNotLoadable } from "#main/learning/engines/try-native.ts";

let dir: string;
const wish = process.env.FEDFLEET_ENGINE;
const searchPath = process.env.PATH;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "fedfleet-engine-"));
  delete process.env.FEDFLEET_ENGINE;
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
  process.env.PATH = searchPath;
  if (wish !== undefined) process.env.FEDFLEET_ENGINE = wish;
});

const open = (environment: Record<string, string>) =>
  promisify(execFile)(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `const { openEngine } = await import("#main/learning/engines/engine.ts");
       try {
         const { info, tf } = await openEngine({ threads: 1 });
         console.log(JSON.stringify({ info, sum: tf.tidy(() => tf.sum(tf.ones([3, 4])).dataSync()[0]) }));
       } catch (error) {
         console.log(JSON.stringify({ name: error.name, message: error.message }));
       }`,
    ],
    { env: { ...process.env, FEDFLEET_ENGINE: "", FEDFLEET_ENGINE_DIR: dir, ...environment } },
  );

/** A package that looks complete; `body` is what runs when it is loaded. */
const writePackage = async (body: string): Promise<string> => {
  const folder = packageInEngineDir(dir);
  await mkdir(path.join(folder, "lib", "napi-v8"), { recursive: true });
  await writeFile(path.join(folder, "package.json"), '{"version":"4.22.0","main":"index.js"}');
  await writeFile(path.join(folder, "index.js"), body);
  await writeFile(path.join(folder, "lib", "napi-v8", "tfjs_binding.node"), "");
  return folder;
};

describe("which engine", () => {
  test("wasm is always there and is taken when nothing else is", async () => {
    const engines = await listEngines({ engineDir: dir });
    expect(engines.map((e) => e.kind)).toEqual(["tfjs-node", "native", "wasm"]);
    const native = engines[1]!;
    expect(native.usable).toBe(false);
    expect(native.reason).toMatch(/fedfleet engine install/);
    expect(engines.filter((e) => e.chosen)).toHaveLength(1);
    const { stdout, stderr } = await open({ FEDFLEET_ENGINE: "wasm" });
    expect(JSON.parse(stdout)).toMatchObject({ info: { kind: "wasm", threads: 1 }, sum: 12 });
    expect(stderr).toBe("");
  });

  test("a package without its binding is not usable, and the reason says so", async () => {
    const folder = packageInEngineDir(dir);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, "package.json"), '{"version":"4.22.0"}');
    const [, native] = await listEngines({ engineDir: dir });
    expect(native).toMatchObject({ usable: false, chosen: false });
    expect(native!.reason).toMatch(/binding was not built/);
  });

  test("an engine that was asked for and is missing is an error, not another engine", async () => {
    const { stdout } = await open({ FEDFLEET_ENGINE: "native" });
    const { name, message } = JSON.parse(stdout);
    expect(name).toBe("UserError");
    expect(message).toMatch(/engine native cannot be used.*engine install/);
  });

  test("an unknown engine is an error that lists the known ones", async () => {
    process.env.FEDFLEET_ENGINE = "gpu";
    await expect(listEngines()).rejects.toThrow(/FEDFLEET_ENGINE is "gpu"; use tfjs-node, native, wasm/);
  });

  test("a library that does not load gives way to the next engine", async () => {
    const folder = await writePackage(
      'process.emitWarning("old"); throw new Error("wrong ELF class\\nRequire stack:")',
    );
    const [first, native, wasm] = await listEngines({ engineDir: dir });
    expect(native).toMatchObject({ kind: "native", usable: false, chosen: false });
    expect(native!.reason).toBe(
      "it cannot be loaded: wrong ELF class; create it with: fedfleet engine install",
    );
    const forced = JSON.parse((await open({ FEDFLEET_ENGINE: "native" })).stdout);
    expect(forced.message).toMatch(/cannot be loaded: Error: wrong ELF class/);
    if (first!.usable) return; // the installed package comes before the broken folder
    expect(wasm!.chosen).toBe(true);
    const { info, sum } = JSON.parse((await open({})).stdout);
    expect(info.kind).toBe("wasm");
    expect(info.note).toBe(
      `the engine native at ${folder} cannot be loaded (wrong ELF class), so the next best engine is used`,
    );
    expect(sum).toBe(12);
    // no note for a person who asks for wasm
    const wished = JSON.parse((await open({ FEDFLEET_ENGINE: "wasm" })).stdout);
    expect(wished.info).not.toHaveProperty("note");
  });

  test("the engine that is listed as used is the one that opens, without a note", async () => {
    const listed = (await listEngines()).find((e) => e.chosen)!;
    const { info } = JSON.parse((await open({ FEDFLEET_ENGINE_DIR: defaultEngineDir() })).stdout);
    expect(info).toMatchObject({ kind: listed.kind, threads: 1 });
    expect(info.version).toContain(listed.version);
    expect(info).not.toHaveProperty("note");
  });
});

describe("whether a library loads", () => {
  test.each([
    ["one that does", "exports.backend = () => ({ binding: { TF_Version: '2.15.1' } })", undefined],
    ["one without TensorFlow behind it", "exports.backend = () => ({})", /TF_Version/],
    [
      "one that crashes",
      'process.kill(process.pid, "SIGILL"); for (;;);',
      /^its library crashed with SIGILL$/,
    ],
    ["one that ends the process", "process.exit(3)", /^loading it ended with exit code 3$/],
  ])("%s", async (_, body, reason) => {
    const found = await whyNotLoadable(await writePackage(body));
    if (reason === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(reason);
  });

  test("one that hangs is ended", async () => {
    const folder = await writePackage("for (;;);");
    expect(await whyNotLoadable(folder, 700)).toBe("loading it takes longer than 0.7 s");
  });
});

test("the folder is where the environment says", () => {
  expect(defaultEngineDir({ FEDFLEET_ENGINE_DIR: "/a/b" })).toBe("/a/b");
  expect(defaultEngineDir({ XDG_DATA_HOME: "/data" })).toBe("/data/fedfleet/engine");
  expect(defaultEngineDir({})).toMatch(/\.local\/share\/fedfleet\/engine$/);
});

describe.runIf(process.platform === "linux" && process.arch === "x64")("what an installation needs", () => {
  const tools = async (scripts: Record<string, string>): Promise<void> => {
    const bin = path.join(dir, "bin");
    await mkdir(bin);
    for (const [name, body] of Object.entries(scripts)) {
      await writeFile(path.join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    process.env.PATH = bin;
  };
  const target = () => path.join(dir, "engine");

  test("each missing tool is named with the package that brings it", async () => {
    await tools({ python3: "exit 0", npm: "exit 0" });
    const missing = await installEngine({ dir: target() }).catch((e: unknown) => e);
    expect(missing).toBeInstanceOf(UserError);
    expect((missing as Error).message).toMatch(
      /g\+\+ is missing\. On Debian or Ubuntu: apt-get install g\+\+/,
    );
  });

  test("a download that fails leaves nothing behind and passes the reason on", async () => {
    await tools({
      python3: "exit 0",
      npm: 'case "$1" in --version) ;; root) echo / ;; *) echo "E404 no such registry" >&2; exit 1 ;; esac',
      "g++": "exit 0",
      make: "exit 0",
    });
    const steps: string[] = [];
    const failed = installEngine({ dir: target(), onProgress: (p) => steps.push(p.message) });
    await expect(failed).rejects.toThrow(/npm could not fetch tfjs-node.*\n.*E404 no such registry/s);
    expect(steps).toHaveLength(2);
    expect((await readdir(dir)).sort()).toEqual(["bin"]);
  });

  test("the large download reports its progress every two seconds", async () => {
    await tools({
      // like pip: into the temporary folder, with a second copy for its cache
      python3: `case "$2" in
        pip) [ "$3" = --version ] && exit 0
          /bin/mkdir "$TMPDIR/pip-unpack"
          /usr/bin/head -c 84900000 /dev/zero > "$TMPDIR/pip-unpack/wheel"
          /usr/bin/head -c 84000000 /dev/zero > "$TMPDIR/copy"
          while [ ! -e ${dir}/seen-twice ]; do /bin/sleep 0.1; done
          echo "connection lost" >&2; exit 1 ;;
        esac`,
      npm: 'case "$1" in root) echo / ;; esac',
      "g++": "exit 0",
      make: "exit 0",
    });
    const said: string[] = [];
    const failed = installEngine({
      dir: target(),
      onProgress: ({ step, steps, message }) => {
        said.push(`[${step}/${steps}] ${message}`);
        if (said.length === 5) void writeFile(path.join(dir, "seen-twice"), "");
      },
    });
    await expect(failed).rejects.toThrow(/pip could not fetch tensorflow-cpu.*connection lost/s);
    expect(said.slice(2, 5)).toEqual([
      expect.stringMatching(/^\[3\/6\] fetching TensorFlow .* \(207 MB\)$/),
      "[3/6] downloading TensorFlow: 84 of 207 MB",
      "[3/6] downloading TensorFlow: 84 of 207 MB",
    ]);
    expect((await readdir(dir)).sort()).toEqual(["bin", "seen-twice"]);
  });

  test("a whole installation ends in one folder; the next one only checks it", async () => {
    const nodeGyp = path.join(dir, "node-gyp.cjs");
    await writeFile(
      nodeGyp,
      `const folder = process.argv.find((a) => a.startsWith("--module_path=")).slice(14);
       require("fs").mkdirSync(folder, { recursive: true });
       require("fs").writeFileSync(folder + "/tfjs_binding.node", process.argv.slice(2).join(" "));`,
    );
    await writeFile(
      path.join(dir, "package.js"),
      `const steps = [2, 1];
       const value = { sub: () => value, square: () => value, mean: () => value, dataSync: () => [steps.shift()] };
       module.exports = {
         ones: () => {}, fill: () => {}, variable: () => {}, conv2d: () => value,
         train: { sgd: () => ({ minimize: () => {} }) },
         getBackend: () => "tensorflow", backend: () => ({ binding: { TF_Version: "2.15.1" } }),
       };`,
    );
    await tools({
      python3: `case "$1 $3" in
        "-m --version") ;;
        "-m download") while [ "$1" != -d ]; do shift; done; echo wheel > "$2/tensorflow.whl" ;;
        *) t="$4/tensorflow"; /bin/mkdir -p "$t/include/tensorflow"
          for f in libtensorflow_cc.so.2 libtensorflow_framework.so.2; do echo "$f" > "$t/$f"; done ;;
        esac`,
      npm: `case "$1" in
        install) p=node_modules/@tensorflow/tfjs-node; /bin/mkdir -p $p; /bin/cp ${dir}/package.js $p/index.js ;;
        esac`,
      "g++": "exit 0",
      make: "exit 0",
    });
    const install = async () => {
      const said: number[] = [];
      const info = await installEngine({
        dir: target(),
        nodeGyp,
        onProgress: ({ step }) => said.push(step),
      });
      return { info, said };
    };
    const folder = packageInEngineDir(target());
    const first = await install();
    expect(first.said).toEqual([1, 2, 3, 4, 5, 6]);
    expect(first.info).toEqual({
      kind: "native",
      version: "tfjs-node 4.22.0, TensorFlow 2.15.1",
      path: folder,
      threads: 1,
    });
    expect((await readdir(path.join(folder, "deps", "lib"))).sort()).toEqual([
      "libtensorflow.so",
      "libtensorflow_cc.so.2",
      "libtensorflow_framework.so",
      "libtensorflow_framework.so.2",
    ]);
    expect(await readdir(path.join(folder, "deps", "include"))).toEqual(["tensorflow"]);
    expect(await readFile(path.join(folder, "lib", "napi-v8", "tfjs_binding.node"), "utf8")).toMatch(
      /^rebuild --module_name=tfjs_binding --module_path=.* --napi_build_version=8/,
    );
    expect((await readdir(target())).sort()).toEqual(["engine.json", "node_modules", "package.json"]);
    expect((await install()).said).toEqual([6]);
    // what another version made is replaced whole
    await writeFile(path.join(target(), "engine.json"), '{"tfjsNode":"4.0.0","tensorflow":"2.9.0"}');
    await writeFile(path.join(target(), "old"), "");
    expect((await install()).said).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await readdir(dir)).sort()).toEqual(["bin", "engine", "node-gyp.cjs", "package.js"]);
    expect(await readdir(target())).not.toContain("old");
  });

  test("stopping it leaves nothing behind", async () => {
    await tools({
      python3: "exit 0",
      npm: 'case "$1" in --version) ;; root) echo / ;; *) while :; do :; done ;; esac',
      "g++": "exit 0",
      make: "exit 0",
    });
    const controller = new AbortController();
    const stopped = installEngine({
      dir: target(),
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 2) setTimeout(() => controller.abort(), 50);
      },
    });
    await expect(stopped).rejects.toThrow(/stopped; nothing is left behind/);
    expect(await readdir(dir)).toEqual(["bin"]);
  });
});
