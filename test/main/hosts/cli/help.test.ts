import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COMMAND_NAMES, commandRow } from "#main/hosts/cli/command-table.ts";
import { callOf, helpText, optionText, usageOf } from "#main/hosts/cli/help.ts";
import { OPTIONS, type OptionName, rowOf } from "#main/hosts/cli/options.ts";
import { DEFAULT_PORT } from "#main/hosts/web/web.ts";
import { DEFAULT_LISTEN } from "#main/lab/crews/external.ts";

const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];
/** Help without its line breaks. */
const flat = (text: string): string => text.replace(/\s+/g, " ");

describe("help", () => {
  test("for everything names every command and every option of the table", () => {
    const text = flat(helpText([]));
    for (const name of COMMAND_NAMES) {
      expect(text).toContain(`${callOf(name)} ${flat(commandRow(name).summary)}`);
    }
    for (const name of OPTION_NAMES) expect(text).toContain(`${optionText(name)} ${rowOf(name).help}`);
  });

  test.each(COMMAND_NAMES)("for %s names its arguments and options, and no others", (name) => {
    const { words, options } = commandRow(name);
    const text = flat(helpText([name]));
    expect(text).toContain(`Usage: ${usageOf(name)}`);
    for (const [word, about] of Object.entries(words)) expect(text).toContain(`${word} ${about}`);
    const listed = text.slice(text.indexOf(" Options "));
    for (const option of OPTION_NAMES) {
      const isIts = option === "help" || options.includes(option);
      expect([option, listed.includes(`${optionText(option)} ${rowOf(option).help}`)]).toEqual([
        option,
        isIts,
      ]);
    }
  });

  test("fits a terminal of 100 columns", () => {
    for (const line of [[], ...COMMAND_NAMES.map((name) => [name])].flatMap((topics) =>
      helpText(topics).split("\n"),
    )) {
      expect(line.length).toBeLessThanOrEqual(100);
      expect(line).toBe(line.trimEnd());
    }
  });

  test("for a group lists its commands and their options alone", () => {
    const text = helpText(["engine list", "engine install"]);
    expect(text).toContain("engine install");
    expect(text).toContain("--dir DIR");
    expect(text).not.toContain("--data-dir");
  });

  test("tells the defaults that are used", () => {
    expect(OPTIONS.port.help).toContain(`Default: ${DEFAULT_PORT}`);
    expect(OPTIONS.listen.help).toContain(`Default: ${DEFAULT_LISTEN.host}:${DEFAULT_LISTEN.port}`);
  });

  test("every option belongs to a command", () => {
    const used = new Set(COMMAND_NAMES.flatMap((name) => commandRow(name).options));
    expect(OPTION_NAMES.filter((name) => name !== "help" && !used.has(name))).toEqual([]);
  });
});

test("the README's table of commands is the table of commands", () => {
  const rows = COMMAND_NAMES.map((name) => {
    const { summary, options } = commandRow(name);
    const shown = options.filter((option) => option !== "data-dir").map((option) => `\`--${option}\``);
    return `| \`${callOf(name)}\` | ${summary} | ${shown.join(" ")} |`;
  });
  const readme = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
  const start = readme.indexOf("| command | what it does | options |");
  const table = readme.slice(start).split("\n\n")[0]!.split("\n").slice(2);
  expect(table).toEqual(rows);
});
