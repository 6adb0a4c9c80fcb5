import { UserError } from "#contract/failure.ts";
import { type Command, parseCommandLine } from "./arguments.ts";
import {
  type CommandDeps,
  type CommandLab,
  exportCommand,
  listCommand,
  readStudyFile,
  resumeCommand,
  runCommand,
} from "./commands.ts";
import { type DatasetCommands, datasetCommand } from "./dataset-command.ts";
import { type Finding, renderFindings } from "./doctor.ts";
import { type EngineCommands, engineInstallCommand, engineListCommand } from "./engine-command.ts";
import { helpText } from "./help.ts";
import type { ListenOptions } from "./listen-options.ts";
import { type ServeDeps, serveCommand } from "./serve-command.ts";
import type { Screen } from "./terminal.ts";

export interface OpenLab extends CommandLab {
  readonly datasets: DatasetCommands;
  close(): Promise<void>;
}

export interface CommandLineDeps extends Pick<ServeDeps, "serve" | "exitNow"> {
  /** `look`: the command changes nothing, so it may run beside a study. */
  openLab(options: {
    dataDir: string | undefined;
    listen: ListenOptions | undefined;
    look: boolean;
  }): OpenLab;
  readonly engines: EngineCommands;
  examine(dataDir: string | undefined): Promise<readonly Finding[]>;
  readonly stdout: { write(text: string | Uint8Array): unknown };
  readonly screen: Screen;
  onInterrupt(listener: () => void): () => void;
}

/**
 * Carries out one command line. A UserError becomes a message on the screen and its exit code.
 * @returns the exit code: 0 done, 1 a run failed, 2 bad input, 130 stopped and can be resumed.
 */
export const runCommandLine = async (argv: readonly string[], deps: CommandLineDeps): Promise<number> => {
  try {
    return await carryOut(parseCommandLine(argv), deps);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    deps.screen.write(`fedfleet: ${error.message}\n`);
    return error.exitCode;
  }
};

const carryOut = async (command: Command, deps: CommandLineDeps): Promise<number> => {
  switch (command.name) {
    case "help":
      deps.stdout.write(helpText(command.topics));
      return 0;
    case "engine list":
      return await engineListCommand(command, deps.engines, deps.stdout);
    case "engine install":
      return await engineInstallCommand(command, deps.engines, deps);
    case "doctor": {
      const findings = await deps.examine(command.dataDir);
      deps.stdout.write(
        command.json ? `${JSON.stringify(findings, null, 2)}\n` : `${renderFindings(findings)}\n`,
      );
      return findings.some((f) => f.state === "missing") ? 1 : 0;
    }
    case "run": {
      // A mistake in the study file is reported before anything is opened.
      const study = await readStudyFile(command.file);
      return await withLab(command, deps, (inner) => runCommand(command, study, inner));
    }
    case "resume":
      return await withLab(command, deps, (inner) => resumeCommand(command, inner));
    case "serve":
      return await serveCommand(command, deps);
    case "list":
      return await withLab({ ...command, look: true }, deps, (inner) => listCommand(command, inner));
    case "export":
      return await withLab({ ...command, look: true }, deps, (inner) => exportCommand(command, inner));
    case "dataset list":
    case "dataset add":
    case "dataset download":
    case "dataset remove":
      return await withLab({ ...command, look: command.name === "dataset list" }, deps, (inner) =>
        datasetCommand(command, inner.lab.datasets, deps),
      );
  }
};

/** Opens the lab for one command and closes it again. `look`: the command changes nothing, so it may run beside a study. */
const withLab = async (
  options: { dataDir: string | undefined; listen?: ListenOptions | undefined; look?: boolean },
  deps: CommandLineDeps,
  work: (inner: CommandDeps & { readonly lab: OpenLab }) => number | Promise<number>,
): Promise<number> => {
  const { dataDir, listen, look = false } = options;
  const lab = deps.openLab({ dataDir, listen, look });
  try {
    return await work({ lab, stdout: deps.stdout, screen: deps.screen, onInterrupt: deps.onInterrupt });
  } finally {
    await lab.close();
  }
};
