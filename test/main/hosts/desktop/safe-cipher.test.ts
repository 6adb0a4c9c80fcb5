import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSecrets } from "#main/boards/secrets.ts";
import { createSafeCipher } from "#main/hosts/desktop/safe-cipher.ts";
import { FakeSafeStorage } from "#test/fakes/electron.ts";

const made = (safeStorage: FakeSafeStorage, platform: NodeJS.Platform = "linux") =>
  createSafeCipher({ safeStorage }, { platform, patienceMs: 20 });

test("a key ring encrypts, and what another one wrote does not open", async () => {
  const safeStorage = new FakeSafeStorage();
  const answer = await made(safeStorage);
  if (!("cipher" in answer)) throw new Error(answer.note);
  const folder = mkdtempSync(join(tmpdir(), "fedfleet-cipher-"));
  const path = join(folder, "secrets.json");
  await openSecrets({ path, cipher: answer.cipher }).set("board/a", "canary-ü");
  expect(readFileSync(path, "utf8")).not.toContain("canary");
  expect(await openSecrets({ path, cipher: answer.cipher }).get("board/a")).toBe("canary-ü");
  safeStorage.key = "two";
  expect(await openSecrets({ path, cipher: answer.cipher }).get("board/a")).toBeUndefined();
  rmSync(folder, { recursive: true });
});

test.each<[string, Partial<FakeSafeStorage>, RegExp]>([
  ["the known password of Linux without a key ring", { backend: "basic_text" }, /no key ring/],
  ["asked too early", { backend: "unknown" }, /no key ring/],
  ["a key ring that is not available", { available: false }, /not available/],
  ["a key ring that fails", { available: new Error("no bus") }, /no bus/],
  ["a key ring that waits for its password", { available: undefined }, /does not respond/],
])("%s is no cipher, and the reason is said", async (_name, change, reason) => {
  const answer = await made(Object.assign(new FakeSafeStorage(), change));
  expect(answer).toEqual({ note: expect.stringMatching(reason) });
});

test("elsewhere than on Linux the backend is not asked", async () => {
  const safeStorage = Object.assign(new FakeSafeStorage(), {
    getSelectedStorageBackend: () => {
      throw new Error("not here");
    },
  });
  expect(await made(safeStorage, "darwin")).toHaveProperty("cipher");
});
