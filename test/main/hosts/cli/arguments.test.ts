import { describe, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { parseCommandLine } from "#main/hosts/cli/arguments.ts";
import { parseAddress } from "#main/hosts/cli/listen-options.ts";

const problem = (...argv: string[]): string => {
  try {
    parseCommandLine(argv);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).exitCode).toBe(2);
    return (error as UserError).message;
  }
  throw new Error(`${argv.join(" ")} was accepted`);
};

describe("parseCommandLine", () => {
  test("reads run with its options", () => {
    expect(parseCommandLine(["run", "s.yaml", "--data-dir", "/d", "--json"])).toEqual({
      name: "run",
      file: "s.yaml",
      dataDir: "/d",
      listen: undefined,
      json: true,
    });
  });

  test("reads export with its options", () => {
    const least = { name: "export", study: "s-1", format: "csv", at: "last" };
    const rest = { out: undefined, dataDir: undefined };
    expect(parseCommandLine(["export", "s-1", "--format", "csv"])).toEqual({
      ...least,
      ...rest,
      metric: undefined,
    });
    expect(
      parseCommandLine(["export", "s-1", "--format", "csv", "--at", "best", "--metric", "rank10"]),
    ).toEqual({ ...least, ...rest, at: "best", metric: "rank10" });
  });

  test("reads serve with its options", () => {
    expect(parseCommandLine(["serve"])).toEqual({
      name: "serve",
      port: undefined,
      dataDir: undefined,
      open: true,
    });
    expect(parseCommandLine(["serve", "--port", "0", "--data-dir", "/d", "--no-open"])).toEqual({
      name: "serve",
      port: 0,
      dataDir: "/d",
      open: false,
    });
    for (const port of ["65536", "-1", "80a", "1.5", "0x50"]) {
      expect(problem("serve", `--port=${port}`)).toContain(`--port ${port}: expected a number`);
    }
    expect(problem("serve", "here")).toContain("here");
    expect(problem("serve", "--listen", "0.0.0.0:1")).toContain("--listen");
    expect(problem("run", "s.yaml", "--port", "1")).toContain("--port");
  });

  test.each([
    [[], []],
    [["--help"], []],
    [["help"], []],
    [["run", "-h"], ["run"]],
    [["help", "export"], ["export"]],
    [
      ["engine", "--help"],
      ["engine list", "engine install"],
    ],
    [["dataset", "add", "--help"], ["dataset add"]],
  ])("%j asks for help about %j", (argv, topics) => {
    expect(parseCommandLine(argv)).toEqual({ name: "help", topics });
  });

  test("reads commands of two words; a group alone lists", () => {
    const dataset = { dataDir: undefined, json: false };
    expect(parseCommandLine(["dataset"])).toEqual({ name: "dataset list", dataset: undefined, ...dataset });
    expect(parseCommandLine(["dataset", "list", "cifar10", "--json"])).toEqual({
      name: "dataset list",
      dataset: "cifar10",
      ...dataset,
      json: true,
    });
    expect(parseCommandLine(["dataset", "add", "mine", "/d"])).toEqual({
      name: "dataset add",
      dataset: "mine",
      path: "/d",
      ...dataset,
    });
    expect(parseCommandLine(["engine"])).toEqual({ name: "engine list", dir: undefined, json: false });
    expect(parseCommandLine(["export", "s-1", "--format", "csv"])).toEqual({
      name: "export",
      study: "s-1",
      format: "csv",
      at: "last",
      metric: undefined,
      out: undefined,
      dataDir: undefined,
    });
  });

  test("refuses what it does not know, by name", () => {
    expect(problem("fly")).toContain("fly");
    expect(problem("run")).toContain("study file");
    expect(problem("run", "a", "b")).toContain("b");
    expect(problem("run", "a", "--fast")).toContain("--fast");
    expect(problem("doctor", "--format", "csv")).toContain("--format");
    expect(problem("export", "s-1", "--format", "pdf")).toContain("pdf");
    expect(problem("export", "s-1", "--format", "csv", "--at", "round 3")).toContain("--at");
    expect(problem("export", "s-1")).toContain("--format FORMAT: one of csv,");
    expect(problem("dataset", "add", "cifar10")).toContain("folder or archive");
    expect(problem("engine", "lst")).toContain("engine lst");
    expect(problem("run", "a", "-x")).toContain("no option -x");
  });

  test("names the option whose value is missing, empty or too much", () => {
    expect(problem("run", "a", "--data-dir")).toBe("--data-dir needs a value: --data-dir DIR");
    expect(problem("run", "a", "--data-dir", "--json")).toBe("--data-dir needs a value: --data-dir DIR");
    expect(problem("serve", "--port=")).toBe("--port needs a value: --port N");
    expect(problem("list", "--json=yes")).toBe("--json takes no value");
  });
});

describe("--listen", () => {
  const listen = (...argv: string[]) => parseCommandLine(["run", "s.yaml", ...argv]);
  const token = "0123456789abcdef";

  test("loopback is open without more", () => {
    expect(listen("--listen", "127.0.0.1:8080")).toMatchObject({ listen: { host: "127.0.0.1", port: 8080 } });
    expect(listen("--listen", "[::1]:9")).toMatchObject({ listen: { host: "::1", port: 9 } });
    expect(listen("--listen", "localhost:9")).toMatchObject({ listen: { host: "localhost" } });
  });

  test("beyond loopback it wants TLS and a token or an allow list, unless --insecure", () => {
    const open = ["run", "s.yaml", "--listen", "0.0.0.0:8080"];
    expect(problem(...open)).toMatch(/--tls-cert.*--join-token.*--insecure/);
    expect(problem(...open, "--tls-cert", "c", "--tls-key", "k")).toMatch(/--join-token/);
    expect(problem(...open, "--join-token", token)).toMatch(/--tls-cert/);
    expect(problem("run", "s.yaml", "--listen", ":8080")).toMatch(/other computers/);
    expect(listen("--listen", "0.0.0.0:8080", "--insecure")).toMatchObject({ listen: { insecure: true } });
    expect(
      listen("--listen", "0.0.0.0:1", "--tls-cert", "c", "--tls-key", "k", "--allow", "10.0.0.2, 10.0.0.3"),
    ).toMatchObject({ listen: { allow: ["10.0.0.2", "10.0.0.3"] } });
  });

  test("half of a pair, a short token, options without --listen", () => {
    expect(problem("run", "s", "--listen", "127.0.0.1:1", "--tls-cert", "c")).toContain("--tls-key");
    const short = problem("run", "s", "--listen", "127.0.0.1:1", "--join-token", "short");
    expect(short).toMatch(/^--join-token: expected at least 16/);
    expect(problem("run", "s", "--insecure")).toContain("--listen");
    expect(problem("run", "s", "--listen", "127.0.0.1:1", "--join-token", token, "--allow", "::1")).toContain(
      "both",
    );
  });

  test.each(["8080", "host", "host:99999", "a:b:1", "host:"])("%s is no address", (text) => {
    expect(parseAddress(text)).toBeUndefined();
    expect(problem("run", "s", "--listen", text)).toMatch(/--listen .*HOST:PORT/);
  });
});
