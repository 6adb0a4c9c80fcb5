import { expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { type DoctorPorts, examineComputer, renderFindings } from "#main/hosts/cli/doctor.ts";

const ports = (changes: Partial<DoctorPorts> = {}): DoctorPorts => ({
  engines: async () => [
    { kind: "native", version: "4.22.0", path: "/e", usable: true, chosen: true },
    { kind: "wasm", version: "4.22.0", path: "/w", usable: true, chosen: false },
  ],
  openDatasets: () => ({
    list: async () => [
      { name: "here", title: "Here", state: "ready", where: "/data/here" },
      {
        name: "broken",
        title: "Broken",
        state: "damaged",
        problem: "test.bin is 3 bytes short",
        next: "add it again",
      },
      { name: "far", title: "Far", state: "missing", downloadBytes: 7, next: "download it" },
    ],
    close: async () => {},
  }),
  docker: async () => ({ ok: false, reason: "no Docker Engine listens" }),
  dataDir: "/lab",
  nodeVersion: "v24.21.0",
  ...changes,
});

test("what is missing comes with its next step; what is optional does not alarm", async () => {
  const text = renderFindings(await examineComputer(ports()));
  expect(text).toContain("✓ engine: native 4.22.0 (/e)");
  expect(text).toContain("✗ data set broken: test.bin is 3 bytes short\n    add it again");
  expect(text).toContain("· data set far: not downloaded\n    download it");
  expect(text).toContain("· Docker Engine: no Docker Engine listens");
});

test("an old Node, no native engine and no engine at all are told apart", async () => {
  expect(renderFindings(await examineComputer(ports({ nodeVersion: "v20.1.0" })))).toMatch(
    /✗ Node: v20.1.0 is too old/,
  );
  const wasm = { kind: "wasm", version: "4.22.0", path: "/w", usable: true, chosen: true };
  expect(renderFindings(await examineComputer(ports({ engines: async () => [wasm] })))).toMatch(
    /· native engine:.*\n.*engine install/,
  );
  const broken = {
    ...wasm,
    kind: "native",
    usable: false,
    chosen: false,
    reason: "libtensorflow is missing",
  };
  const none = renderFindings(await examineComputer(ports({ engines: async () => [broken] })));
  expect(none).toContain("✗ engine: none is usable: native: libtensorflow is missing");
});

test("a data directory in use is a finding, not the end of the examination", async () => {
  const findings = await examineComputer(
    ports({
      openDatasets: () => {
        throw new UserError("in use by process 7");
      },
    }),
  );
  expect(findings.find((f) => f.what === "data directory")).toMatchObject({
    state: "optional",
    detail: "in use by process 7",
  });
  expect(findings.some((f) => f.what === "engine")).toBe(true);
});
