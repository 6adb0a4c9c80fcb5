import { COMMAND_NAMES, type CommandName, commandRow } from "./command-table.ts";
import { OPTIONS, type OptionName, rowOf } from "./options.ts";

/** How the commands are called from a checkout. */
const CALL = "npm run -s fedfleet --";
const COLUMNS = 100;

/** `--port N`, or `--json`. */
export const optionText = (name: OptionName): string => {
  const { value } = rowOf(name);
  return value === undefined ? `--${name}` : `--${name} ${value}`;
};

/** `run STUDY.yaml` */
export const callOf = (name: CommandName): string => [name, ...Object.keys(commandRow(name).words)].join(" ");

/** `fedfleet export STUDY-ID --format FORMAT [OPTIONS]` */
export const usageOf = (name: CommandName): string => {
  const { options } = commandRow(name);
  const needed = options.filter((option) => rowOf(option).required).map(optionText);
  return ["fedfleet", callOf(name), ...needed, "[OPTIONS]"].join(" ");
};

/** Help about one command or several; about all of them where none is named. */
export const helpText = (topics: readonly CommandName[]): string => {
  if (topics.length === 1) return helpForOne(topics[0]!);
  return topics.length === 0 ? helpForAll() : helpForSome(topics, []);
};

const helpForAll = (): string =>
  [
    "Fedfleet: a lab for federated learning on fleets of embedded devices",
    "",
    `Usage: ${CALL} COMMAND [OPTIONS]`,
    "",
    helpForSome(COMMAND_NAMES, OPTION_NAMES),
    "Exit codes: 0 done, 1 a run failed or something is missing, 2 the input is wrong, 130 stopped.",
    "",
  ].join("\n");

/** @param marked options that say which commands take them */
const helpForSome = (names: readonly CommandName[], marked: readonly OptionName[]): string => {
  const options = OPTION_NAMES.filter(
    (option) => option === "help" || names.some((name) => commandRow(name).options.includes(option)),
  );
  const helpOf = (option: OptionName) =>
    `${rowOf(option).help}${marked.includes(option) ? usersOf(option) : ""}`;
  return [
    "Commands",
    ...table(names.map((name) => [callOf(name), commandRow(name).summary])),
    "",
    "Options",
    ...table(options.map((option) => [flags(option), helpOf(option)])),
    "",
    `${CALL} COMMAND --help shows more about one command.`,
    "",
  ].join("\n");
};

const helpForOne = (name: CommandName): string => {
  const { summary, words, options, notes = [] } = commandRow(name);
  const described = Object.entries(words);
  return [
    `Usage: ${usageOf(name)}`,
    "",
    ...wrap(`${summary}.`, COLUMNS),
    ...(described.length === 0
      ? []
      : ["", "Arguments", ...table(described.map(([word, text]) => [word, text]))]),
    "",
    "Options",
    ...table([...options, "help" as const].map((option) => [flags(option), rowOf(option).help])),
    ...notes.flatMap((note) => ["", ...wrap(note, COLUMNS)]),
    "",
  ].join("\n");
};

const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

const flags = (name: OptionName): string => (name === "help" ? "-h, --help" : optionText(name));

/** Which commands take an option; nothing where all do. A group that takes it whole is named once. */
const usersOf = (name: OptionName): string => {
  const takes = (command: CommandName) => commandRow(command).options.includes(name);
  const users = COMMAND_NAMES.filter(takes).map((command) => {
    const group = COMMAND_NAMES.filter((other) => other.split(" ")[0] === command.split(" ")[0]);
    return group.every(takes) ? command.split(" ")[0]! : command;
  });
  return users.length === 0 ? "" : ` (${[...new Set(users)].join(", ")})`;
};

const table = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...rows.map(([left]) => left.length)) + 4;
  return rows.flatMap(([left, right]) =>
    wrap(right, COLUMNS - width).map(
      (line, i) => (i === 0 ? `  ${left}`.padEnd(width) : " ".repeat(width)) + line,
    ),
  );
};

const wrap = (text: string, columns: number): string[] => {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
};
