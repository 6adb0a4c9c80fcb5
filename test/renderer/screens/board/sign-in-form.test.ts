import { describe, expect, test } from "vitest";
import {
  freshSignIn,
  leavesASecret,
  signInErrors,
  signInOf,
  withKind,
} from "#renderer/screens/board/sign-in-form.ts";

describe("signing in", () => {
  test("a fresh board has a password; an entry of ~/.ssh/config suggests a key", () => {
    const ways = { agent: true, keys: ["~/.ssh/id_ed25519"], labKey: false };
    expect(freshSignIn(ways, false)).toMatchObject({ kind: "password", installKey: true });
    expect(freshSignIn(ways, true)).toMatchObject({
      kind: "key",
      keyPath: "~/.ssh/id_ed25519",
      installKey: false,
    });
    expect(freshSignIn({ ...ways, keys: [] }, true).kind).toBe("agent");
  });
  test("what is missing is named by field, and only the fields in use are sent", () => {
    const fresh = freshSignIn({ agent: false, keys: [], labKey: false }, false);
    expect(signInErrors(fresh)).toHaveProperty("password");
    const key = withKind({ ...fresh, password: "secret" }, "key");
    expect(signInErrors(key)).toHaveProperty("keyPath");
    expect(signInOf({ ...key, keyPath: " ~/.ssh/id " })).toEqual({ kind: "key", path: "~/.ssh/id" });
    expect(signInOf(withKind({ ...fresh, password: "secret" }, "agent"))).toEqual({ kind: "agent" });
  });
  test("it is known beforehand whether a restart would lose a secret", () => {
    const fresh = freshSignIn({ agent: true, keys: [], labKey: false }, false);
    expect(leavesASecret(fresh)).toBe(true);
    expect(leavesASecret(withKind(fresh, "agent"))).toBe(false);
    expect(leavesASecret({ ...withKind(fresh, "agent"), installKey: true })).toBe(true);
    expect(leavesASecret({ ...withKind(fresh, "key"), keyPath: "k" })).toBe(false);
  });
});
