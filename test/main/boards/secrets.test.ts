import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { openSecrets } from "#main/boards/secrets.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fedfleet-secrets-"));
  path = join(folder, "secrets.json");
  return () => rmSync(folder, { recursive: true, force: true });
});
const onDisk = () => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** As safe storage does it: another key ring cannot read what this one wrote. */
const ring = (key: string) => ({
  encrypt: async (text: string) => Buffer.from(`${key}:${text}`).toString("base64"),
  decrypt: async (text: string) => {
    const [found, ...rest] = Buffer.from(text, "base64").toString("utf8").split(":");
    if (found !== key) throw new Error("decryption failed");
    return rest.join(":");
  },
});

test("in memory, nothing is on disk and nothing lasts", async () => {
  const secrets = openSecrets({ path, note: "No keyring." });
  await secrets.set("board/a", "canary");
  expect(await secrets.get("board/a")).toBe("canary");
  expect(secrets.view()).toEqual({ kept: "memory", canUseFile: true, path, note: "No keyring." });
  expect(readdirSync(folder)).toEqual([]);
  expect(await openSecrets({ path }).get("board/a")).toBeUndefined();
  await secrets.delete("board/a");
  expect(await secrets.get("board/a")).toBeUndefined();
});

test("in a file by choice: mode 0600, what memory has comes along, and goes with the choice", async () => {
  const secrets = openSecrets({ path });
  await secrets.set("board/a", "canary-a");
  expect(await secrets.keepInFile(true)).toMatchObject({ kept: "file", path });
  await Promise.all([secrets.set("board/b", "canary-b"), secrets.set("board/c", "canary-c")]);
  await secrets.delete("board/c");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(onDisk()).toContain("canary-a");
  expect(onDisk()).not.toContain("canary-c");

  chmodSync(path, 0o644);
  const again = openSecrets({ path });
  expect(again.view().kept).toBe("file");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await again.get("board/a")).toBe("canary-a");
  expect(await again.get("board/b")).toBe("canary-b");
  expect(await again.keepInFile(false)).toMatchObject({ kept: "memory" });
  expect(readdirSync(folder)).toEqual([]);
  expect(await again.get("board/b")).toBe("canary-b");
});

test("with safe storage only ciphertexts are on disk", async () => {
  const secrets = openSecrets({ path, cipher: ring("k1"), note: "not shown" });
  await secrets.set("board/a", "canary");
  expect(secrets.view()).toEqual({ kept: "safe-storage", canUseFile: false, path });
  expect(onDisk()).not.toContain("canary");
  expect(onDisk()).toContain("board/a");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await secrets.keepInFile(true)).toMatchObject({ kept: "safe-storage" });
  expect(onDisk()).not.toContain("canary");
  expect(await openSecrets({ path, cipher: ring("k1") }).get("board/a")).toBe("canary");
  await secrets.delete("board/a");
  expect(existsSync(path)).toBe(false);
});

test("what cannot be decrypted is missing, stays for whoever can, and is replaced by what is set", async () => {
  await openSecrets({ path, cipher: ring("k1") }).set("board/a", "canary");
  const other = openSecrets({ path, cipher: ring("k2") });
  expect(await other.get("board/a")).toBeUndefined();
  const without = openSecrets({ path });
  expect(without.view().kept).toBe("memory");
  expect(await without.get("board/a")).toBeUndefined();
  await without.set("board/b", "memory only");
  expect(onDisk()).not.toContain("memory only");
  expect(await openSecrets({ path, cipher: ring("k1") }).get("board/a")).toBe("canary");
  // A newer value must not be undone by the old one at the next start with safe storage.
  await without.set("board/a", "newer");
  expect(await openSecrets({ path, cipher: ring("k1") }).get("board/a")).toBeUndefined();
});

test("a readable file is encrypted as soon as there is safe storage", async () => {
  const plain = openSecrets({ path });
  await plain.set("board/a", "canary");
  await plain.keepInFile(true);
  const safe = openSecrets({ path, cipher: ring("k1") });
  expect(safe.view().kept).toBe("safe-storage");
  expect(await safe.get("something else")).toBeUndefined();
  expect(onDisk()).not.toContain("canary");
  expect(await safe.get("board/a")).toBe("canary");
});

test("safe storage that fails keeps a secret in memory, and it is said", async () => {
  const cipher = { ...ring("k1"), encrypt: () => Promise.reject(new Error("keyring is locked")) };
  const secrets = openSecrets({ path, cipher });
  await secrets.set("board/a", "canary");
  expect(await secrets.get("board/a")).toBe("canary");
  expect(secrets.view().note).toContain("keyring is locked");
  expect(onDisk()).toBe("");
});

test.each(["", "{", "[]", "null", '{"version":1,"plain":true,"values":{"a":7,"b":{"plain":3}}}'])(
  "a damaged file (%s) is no reason to stop",
  async (text) => {
    writeFileSync(path, text);
    const secrets = openSecrets({ path });
    secrets.view();
    expect(await secrets.get("a")).toBeUndefined();
    expect(await secrets.get("b")).toBeUndefined();
    await secrets.set("a", "new");
    await secrets.keepInFile(true);
    expect(await openSecrets({ path }).get("a")).toBe("new");
  },
);
