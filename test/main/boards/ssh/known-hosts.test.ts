import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { shownKeyOf, unwantedAlgorithms } from "#main/boards/ssh/host-key.ts";
import { lookUpIn, openKnownHosts } from "#main/boards/ssh/known-hosts.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fedfleet-known-"));
  return () => rmSync(folder, { recursive: true, force: true });
});

/** The bytes of a key as they travel: its type, then something. */
const keyOf = (type: string, rest: string) => {
  const name = Buffer.from(type);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return shownKeyOf(Buffer.concat([length, name, Buffer.from(rest)]));
};
const ONE = keyOf("ssh-ed25519", "one");
const TWO = keyOf("ecdsa-sha2-nistp256", "two");
const line = (names: string, { type, bytes }: typeof ONE) => `${names} ${type} ${bytes.toString("base64")}`;
const prints = (text: string, host: string, port = 22) =>
  lookUpIn(text, host, port).keys.map(({ fingerprint }) => fingerprint);

test("a fingerprint is the one that ssh-keygen prints", () => {
  const bytes = Buffer.from("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", "base64");
  expect(shownKeyOf(bytes)).toMatchObject({
    type: "ssh-ed25519",
    // GitHub's, as published.
    fingerprint: "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
  });
  expect(shownKeyOf(Buffer.alloc(2)).type).toBe("");
});

test("names: ports, lists, patterns, exceptions, case, hashes", () => {
  expect(prints(line("board", ONE), "board")).toEqual([ONE.fingerprint]);
  expect(prints(line("board", ONE), "Board")).toEqual([ONE.fingerprint]);
  expect(prints(line("board", ONE), "board", 2222)).toEqual([]);
  expect(prints(line("[board]:2222", ONE), "board", 2222)).toEqual([ONE.fingerprint]);
  expect(prints(line("[board]:2222", ONE), "board")).toEqual([]);
  expect(prints(line("a,10.0.0.7,b", ONE), "10.0.0.7")).toEqual([ONE.fingerprint]);
  expect(prints(line("10.0.0.7", ONE), "10x0x0x7")).toEqual([]);
  expect(prints(line("*.lab,!bad.lab", ONE), "good.lab")).toEqual([ONE.fingerprint]);
  expect(prints(line("*.lab,!bad.lab", ONE), "bad.lab")).toEqual([]);
  const salt = createHash("sha1").update("salt").digest();
  const hash = createHmac("sha1", salt).update("[board]:2222").digest("base64");
  const hashed = line(`|1|${salt.toString("base64")}|${hash}`, ONE);
  expect(prints(hashed, "board", 2222)).toEqual([ONE.fingerprint]);
  expect(prints(hashed, "board")).toEqual([]);
});

test("markers: what is revoked is no key, an authority is none either", () => {
  const text = [
    line("board", ONE),
    line("board", TWO),
    `@revoked ${line("*", TWO)}`,
    `@cert-authority ${line("*", ONE)}`,
  ];
  expect(lookUpIn(text.join("\n"), "board", 22)).toEqual({
    keys: [{ type: ONE.type, fingerprint: ONE.fingerprint }],
    revoked: [TWO.fingerprint],
  });
});

test("damaged lines and comments say nothing", () => {
  const text = ["", "# board", "board", "board ssh-ed25519", "board ssh-rsa AAAA", "@revoked", "board x y z"];
  expect(lookUpIn(text.join("\r\n"), "board", 22)).toEqual({ keys: [], revoked: [] });
  expect(lookUpIn(undefined, "board", 22)).toEqual({ keys: [], revoked: [] });
});

test("the lab's file: kept lines, no doubles, mode 0600, nothing half-written", async () => {
  const path = join(folder, "deep", "known_hosts");
  const known = openKnownHosts(path);
  expect(await known.lookup("board", 22)).toEqual({ keys: [], revoked: [] });
  await Promise.all([known.add("board", 22, ONE), known.add("board", 22, ONE), known.add("board", 22, TWO)]);
  await known.add("other", 2222, ONE);
  expect(readFileSync(path, "utf8")).toBe(
    `${[line("board", ONE), line("board", TWO), line("[other]:2222", ONE)].join("\n")}\n`,
  );
  expect(statSync(path).mode & 0o777).toBe(0o600);
  writeFileSync(path, `# mine\n@revoked ${line("board", TWO)}\n${readFileSync(path, "utf8")}`);
  await known.replace("board", 22, ONE);
  expect(readFileSync(path, "utf8")).toBe(
    `# mine\n@revoked ${line("board", TWO)}\n${line("[other]:2222", ONE)}\n${line("board", ONE)}\n`,
  );
  expect(readdirSync(join(folder, "deep"))).toEqual(["known_hosts"]);
});

test("only algorithms of known keys are offered, and never SHA-1", () => {
  expect(unwantedAlgorithms(undefined)).toEqual(["ssh-rsa"]);
  expect(unwantedAlgorithms(["ssh-rsa"])).not.toContain("rsa-sha2-512");
  expect(unwantedAlgorithms(["ssh-rsa"])).toEqual(expect.arrayContaining(["ssh-rsa", "ssh-ed25519"]));
  expect(unwantedAlgorithms(["ssh-ed25519"])).toEqual(
    expect.arrayContaining(["rsa-sha2-256", "ecdsa-sha2-nistp256"]),
  );
  expect(unwantedAlgorithms(["ssh-dss"])).toEqual(["ssh-rsa"]);
});
