import { parseArgs } from "node:util";
import { UserError } from "#contract/failure.ts";
import { COMMAND_NAMES, type CommandName, commandRow, DEFAULT_ACTION, type Read } from "./command-table.ts";
import { usageOf } from "./help.ts";
import { OPTIONS, type OptionName, rowOf } from "./options.ts";

export type Command =
  | Read<CommandName>
  /** Without a topic: about everything. `fedfleet dataset --help` is about several commands. */
  | { readonly name: "help"; readonly topics: readonly CommandName[] };

const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

const isOption = (name: string): name is OptionName => Object.hasOwn(OPTIONS, name);

/**
 * Reads the command line.
 * @throws UserError (exit 2) that names the wrong word or option, and says what would be right.
 */
export const parseCommandLine = (argv: readonly string[]): Command => {
  const { words, given } = split(argv);
  const wantsHelp = given.has("help") || words[0] === "help" || words.length === 0;
  const [first, ...rest] = words[0] === "help" ? words.slice(1) : words;
  if (wantsHelp) return { name: "help", topics: first === undefined ? [] : topicsOf(first, rest[0]) };
  const { name, rest: own } = commandOf(first!, rest);
  const row = commandRow(name);
  const problem = unknownOption(name, row.options, given) ?? wrongWords(name, Object.entries(row.words), own);
  if (problem !== undefined) throw new UserError(problem);
  const placeholders = Object.keys(row.words);
  const read = row.read(
    Object.fromEntries(placeholders.map((placeholder, i) => [placeholder, own[i]])),
    Object.fromEntries(row.options.map((option) => [camel(option), readValue(name, option, given)])),
  );
  return { name, ...read } as Command;
};

/** By option, with the text of its value: undefined for one without a value. */
type Given = ReadonlyMap<string, string | undefined>;

const split = (argv: readonly string[]): { readonly words: readonly string[]; readonly given: Given } => {
  // Not strict: its messages name neither the command nor what would be right.
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      OPTION_NAMES.map((name) => [
        name,
        {
          type: rowOf(name).value === undefined ? ("boolean" as const) : ("string" as const),
          ...(name === "help" ? { short: "h" } : {}),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string | undefined>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    if (isOption(token.name)) checkValue(token.name, token.value, token.inlineValue === true);
    given.set(token.name, token.value);
  }
  return { words, given };
};

const checkValue = (name: OptionName, value: string | undefined, inline: boolean): void => {
  const placeholder = rowOf(name).value;
  if (placeholder === undefined && value !== undefined) throw new UserError(`--${name} takes no value`);
  if (placeholder === undefined) return;
  // `--data-dir --json` forgets the value; one that begins with a dash is written --data-dir=-x.
  if (!value || (!inline && value.startsWith("--"))) {
    throw new UserError(`--${name} needs a value: --${name} ${placeholder}`);
  }
};

const startingWith = (group: string): readonly CommandName[] =>
  COMMAND_NAMES.filter((name) => name.startsWith(`${group} `));

const topicsOf = (first: string, second: string | undefined): readonly CommandName[] => {
  const group = startingWith(first);
  if (group.length === 0) return [commandOf(first, []).name];
  const one = group.find((name) => name === `${first} ${second}`);
  return one === undefined ? group : [one];
};

const commandOf = (
  first: string,
  rest: readonly string[],
): { readonly name: CommandName; readonly rest: readonly string[] } => {
  const single = COMMAND_NAMES.find((name) => name === first);
  if (single !== undefined) return { name: single, rest };
  const group = startingWith(first);
  if (group.length === 0) {
    const known = [...new Set(COMMAND_NAMES.map((name) => name.split(" ")[0]))];
    throw new UserError(`there is no command ${first}. Commands: ${known.join(", ")}`);
  }
  const [action = DEFAULT_ACTION, ...own] = rest;
  const found = group.find((name) => name === `${first} ${action}`);
  if (found === undefined) {
    const actions = group.map((name) => name.slice(first.length + 1));
    throw new UserError(`there is no command ${first} ${action}. Write ${first} ${actions.join(" or ")}`);
  }
  return { name: found, rest: own };
};

const unknownOption = (
  name: CommandName,
  options: readonly OptionName[],
  given: Given,
): string | undefined => {
  const unknown = [...given.keys()].find((option) => !(options as readonly string[]).includes(option));
  if (unknown === undefined) return undefined;
  const dashed = unknown.length === 1 ? `-${unknown}` : `--${unknown}`;
  return `${name} has no option ${dashed}. Its options: ${options.map((option) => `--${option}`).join(", ")}`;
};

const wrongWords = (
  name: CommandName,
  expected: readonly (readonly [string, string])[],
  words: readonly string[],
): string | undefined => {
  const missing = expected.slice(words.length).find(([placeholder]) => !placeholder.startsWith("["));
  if (missing !== undefined) return `${name} needs ${missing[0]} (${missing[1]}). Usage: ${usageOf(name)}`;
  const extra = words[expected.length];
  return extra === undefined ? undefined : `${name}: unexpected argument ${extra}. Usage: ${usageOf(name)}`;
};

const readValue = (name: CommandName, option: OptionName, given: Given): unknown => {
  const { value, expects, default: usual, required, secret, read } = rowOf(option);
  if (read === undefined) return given.has(option);
  const text = given.get(option) ?? usual;
  if (text === undefined) {
    if (required) throw new UserError(`${name} needs --${option} ${value}: ${expects}`);
    return undefined;
  }
  const found = read(text);
  if (found === undefined) {
    throw new UserError(`--${option}${secret ? "" : ` ${text}`}: expected ${expects}`);
  }
  return found;
};

const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
