/**
 * Every check, in order: format and lint, types, the tests with the native engine, what depends on the engine again
 * with wasm, the Python tests. Prints the counts of what ran; ends with 1 when anything failed, and with CI=true
 * also when anything was skipped.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pythonOf } from "./setup/flwr.ts";
import { type JunitResult, readJunit } from "./setup/junit.ts";

const ci = process.env.CI === "true";
const only = process.argv.slice(2);
/** The one test that may be skipped anywhere, since Electron's binary cannot be had everywhere. It says why. */
const MAY_BE_SKIPPED = "Electron opens the lab in its window, and nothing in the page gets out";
const counts = { passed: 0, failed: 0, skipped: 0 };
const skippedNames: string[] = [];
const failedNames: string[] = [];
const scratch = mkdtempSync(join(tmpdir(), "fedfleet-test-"));

const step = (name: string, run: () => void) => {
  const startedAt = performance.now();
  console.log(`\n── ${name}`);
  run();
  console.log(`   ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
};

const command = (file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(file, args, { stdio: "inherit", env: { ...process.env, ...env } });

const check = (name: string, file: string, args: readonly string[]) =>
  step(name, () => {
    if (command(file, args).status === 0) counts.passed += 1;
    else {
      counts.failed += 1;
      failedNames.push(name);
    }
  });

const WASM_TOO = [
  "test/main/learning",
  "test/main/virtual-devices",
  "test/integration/torch-roundtrip",
  "test/integration/study",
];

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const vitest = (name: string, filters: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  step(name, () => {
    const report = join(scratch, `${name.replaceAll(/\W+/g, "-")}.json`);
    const ran = command(
      process.execPath,
      [
        "node_modules/vitest/vitest.mjs",
        "run",
        "-c",
        "test/vitest.config.ts",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${report}`,
        ...filters,
      ],
      env,
    );
    let result: VitestReport;
    try {
      result = JSON.parse(readFileSync(report, "utf8")) as VitestReport;
    } catch {
      counts.failed += 1;
      return;
    }
    counts.passed += result.numPassedTests;
    counts.failed += result.numFailedTests;
    // A file that could not even be loaded has no tests to count, but it failed.
    counts.failed += result.testResults.filter(
      (f) => f.status === "failed" && f.assertionResults.length === 0,
    ).length;
    if (ran.status !== 0 && result.numFailedTests === 0) counts.failed += 1;
    for (const file of result.testResults) {
      if (file.status === "failed" && file.assertionResults.length === 0)
        failedNames.push(`${file.name}: ${file.message ?? "could not be loaded"}`);
      for (const test of file.assertionResults) {
        if (test.status === "failed")
          failedNames.push(`${file.name}: ${test.fullName}\n    ${test.failureMessages?.join("\n    ")}`);
        if (test.status === "pending" || test.status === "skipped" || test.status === "todo") {
          if (test.fullName !== MAY_BE_SKIPPED) counts.skipped += 1;
          skippedNames.push(test.fullName === MAY_BE_SKIPPED ? `${test.fullName} (allowed)` : test.fullName);
        }
      }
    }
  });

/** The tests of the Python client, run by the Flower that boards have. */
const pytest = (filters: readonly string[]) =>
  step("the tests of the Python client", () => {
    const python = pythonOf("1.11.1");
    const found = spawnSync(python, ["-c", "import pytest, torch, flwr"], { encoding: "utf8" });
    if (found.status !== 0) {
      const why = (found.error?.message ?? found.stderr).trim().split("\n").at(-1);
      counts.skipped += 1;
      skippedNames.push(
        `the tests of the Python client: ${why} (test/setup/install.sh installs what they need)`,
      );
      return;
    }
    const report = join(scratch, "pytest.xml");
    const options = ["-q", "-rs", "-p", "no:cacheprovider", `--junitxml=${report}`];
    const ran = command(python, ["-B", "-m", "pytest", ...options, ...filters]);
    let result: JunitResult;
    try {
      result = readJunit(readFileSync(report, "utf8"));
    } catch {
      counts.failed += 1;
      failedNames.push("the tests of the Python client could not be run");
      return;
    }
    counts.passed += result.passed;
    counts.failed += result.failed;
    counts.skipped += result.skipped;
    failedNames.push(...result.failedNames);
    skippedNames.push(...result.skippedNames);
    if (ran.status !== 0 && result.failed === 0) {
      counts.failed += 1;
      failedNames.push(`the tests of the Python client ended with ${ran.status ?? ran.signal}`);
    }
  });

/** Once for all: tests that serve it at the same time must not build it at the same time. */
const buildPage = () => check("the page is built", process.execPath, ["test/setup/build-page.ts"]);

if (only.length > 0) {
  const isPython = (filter: string) => filter.startsWith("test/device");
  const ofVitest = only.filter((filter) => !isPython(filter));
  if (ofVitest.some((filter) => /e2e|integration/.test(filter))) buildPage();
  if (ofVitest.length > 0) vitest("tests", ofVitest);
  if (only.some(isPython)) pytest(only.filter(isPython));
} else {
  check("format and lint", "node_modules/.bin/biome", ["ci", "."]);
  check("types", "node_modules/.bin/tsc", ["--noEmit"]);
  check("types of the page", "node_modules/.bin/tsc", ["--noEmit", "-p", "src-renderer"]);
  buildPage();
  vitest("tests", []);
  // What trains runs a second time, on the engine that every computer has.
  vitest("the tests that train, on wasm", WASM_TOO, { FEDFLEET_ENGINE: "wasm" });
  pytest(["test/device"]);
}
rmSync(scratch, { recursive: true, force: true });
if (skippedNames.length > 0) console.log(`\nskipped:\n${skippedNames.map((n) => `  ${n}`).join("\n")}`);
if (failedNames.length > 0) console.log(`\nfailed:\n${failedNames.map((n) => `  ${n}`).join("\n")}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || (ci && counts.skipped > 0) ? 1 : 0;
