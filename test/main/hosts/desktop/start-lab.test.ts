import { expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { type StartPorts, startLab } from "#main/hosts/desktop/start-lab.ts";

const start = async (argv: readonly string[], changes: Partial<StartPorts> = {}) => {
  const did: string[] = [];
  const code = await startLab(argv, {
    async findElectron(retry) {
      did.push(retry ? "look again for Electron" : "look for Electron");
      return { ok: true, binary: "/electron" };
    },
    async build() {
      did.push("build");
    },
    async showWindow(binary, dataDir) {
      did.push(`show ${binary} on ${dataDir}`);
      return { code: 0, afterMs: 60_000 };
    },
    async serve(given) {
      did.push(given.join(" "));
      return 3;
    },
    say: (line) => did.push(`say ${line}`),
    ...changes,
  });
  return { code, did };
};

test("opens the window and ends with its exit code", async () => {
  expect(await start(["--data-dir", "/d"])).toEqual({
    code: 0,
    did: ["look for Electron", "build", "show /electron on /d"],
  });
  const failed = await start(["--retry-electron"], {
    showWindow: async () => ({ code: 9, afterMs: 60_000 }),
  });
  expect(failed).toEqual({ code: 9, did: ["look again for Electron", "build"] });
});

test("without Electron it says why and serves the browser, with the same options", async () => {
  const none = await start(["--port", "0", "--retry-electron", "--no-open"], {
    findElectron: async () => ({ ok: false, why: "there is no display here" }),
  });
  expect(none).toEqual({
    code: 3,
    did: [
      "say No window: there is no display here. Serving the lab to your browser instead.",
      "serve --port 0 --no-open",
    ],
  });
});

test("a window that fails immediately is no window", async () => {
  const { did } = await start([], { showWindow: async () => ({ code: 127, afterMs: 20 }) });
  expect(did.at(-1)).toBe("serve");
  expect(did.at(-2)).toContain("exit code 127");
});

test("a misspelt option is reported before anything is fetched; help needs no window", async () => {
  const wrong = await start(["--prot", "1"]);
  expect(wrong.code).toBe(2);
  expect(wrong.did).toEqual([expect.stringMatching(/^say fedfleet: .*--prot/)]);
  expect((await start(["--help"])).did).toEqual(["serve --help"]);
});

test("what a person can mend ends with its exit code; a bug is thrown", async () => {
  const mend = async () => {
    throw new UserError("there is no room", { exitCode: 4 });
  };
  expect(await start([], { build: mend })).toEqual({
    code: 4,
    did: ["look for Electron", "say fedfleet: there is no room"],
  });
  const bug = async () => {
    throw new TypeError("a bug");
  };
  await expect(start([], { build: bug })).rejects.toThrow("a bug");
});
