import { expect, test } from "vitest";
import { fingerprintCommand } from "#renderer/screens/board/host-key-check.ts";

test("the command shows the key of the type that was seen", () => {
  expect(fingerprintCommand("ssh-ed25519")).toBe("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
  expect(fingerprintCommand("ecdsa-sha2-nistp256")).toContain("ssh_host_ecdsa_key.pub");
  expect(fingerprintCommand("rsa-sha2-512")).toContain("ssh_host_rsa_key.pub");
});
