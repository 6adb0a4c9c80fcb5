/** The command line: builds the rooms and wires them to the commands. It holds no logic. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { probeDocker } from "#main/boards/probe-docker.ts";
import { type CommandLineDeps, type OpenLab, runCommandLine } from "#main/hosts/cli/command-line.ts";
import type { StudyWithRounds } from "#main/hosts/cli/commands.ts";
import { examineComputer } from "#main/hosts/cli/doctor.ts";
import { onInterrupt, toleratePipes } from "#main/hosts/cli/own-process.ts";
import { listEngines } from "#main/learning/engines/engine.ts";
import { installEngine } from "#main/learning/engines/install-engine.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { studyReport } from "#main/reports/report.ts";
import { parseAt } from "#main/reports/summary.ts";
import { dataDirOf } from "./data-dir.ts";
import type { LabOptions } from "./lab-options.ts";
import { type Lab, openLab } from "./open-lab.ts";
import { openOrSayWhere } from "./open-or-say-where.ts";
import { reportFile, reportInput } from "./report-files.ts";
import { openServedLab } from "./serve.ts";

const openAt = (given: string | undefined, options: Pick<LabOptions, "listen" | "look">): Lab => {
  const dataDir = dataDirOf(given);
  return openOrSayWhere(dataDir, () =>
    openLab({
      dataDir,
      resourcesDir: fileURLToPath(new URL("../../resources/", import.meta.url)),
      fork: forkNode,
      entries: {
        device: new URL("../processes/device-worker.ts", import.meta.url),
        evaluation: new URL("../processes/evaluation-worker.ts", import.meta.url),
        data: new URL("../processes/data-worker.ts", import.meta.url),
        report: new URL("../processes/report-worker.ts", import.meta.url),
      },
      ...options,
      onProgress: (message) => process.stderr.write(`${message}\n`),
    }),
  );
};

const open: CommandLineDeps["openLab"] = ({ dataDir, listen, look }) =>
  forCommandLine(openAt(dataDir, { listen, look }));

const inputOf = (record: StudyWithRounds) => reportInput({ ...record, settings: record.study });

const forCommandLine = (lab: Lab): OpenLab => ({
  open: lab.runs.open,
  conduct: lab.runs.conduct,
  subscribe: lab.subscribe,
  latestInterrupted: () => lab.store.studies.latestInterrupted()?.id,
  list: () => lab.store.studies.list(),
  record(id) {
    const found = lab.store.studies.get(id);
    if (found === undefined) return undefined;
    return { ...found, runs: found.runs.map((run) => ({ ...run, rounds: lab.store.rounds.of(run.id) })) };
  },
  render: (record, format, { at, metric }) =>
    reportFile(studyReport(inputOf(record), { at: parseAt(at) ?? "last", metric }), format),
  datasets: {
    list: () => lab.catalogue.list(),
    add: (name, path) => lab.catalogue.register({ name, path }),
    download: (name, options) => lab.catalogue.download(name, options),
    remove: (name) => lab.store.datasets.remove(name),
  },
  close: lab.close,
});

const packageVersion = (): string => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
};

const commandLineDeps: CommandLineDeps = {
  openLab: open,
  async serve({ dataDir, port }) {
    const { ensureBuilt, RENDERER_DIR } = await import("#main/hosts/ensure-built.ts");
    const lab = openAt(dataDir, {});
    try {
      await ensureBuilt("page", (line) => process.stderr.write(`${line}\n`));
    } catch (error) {
      await lab.close();
      throw error;
    }
    return await openServedLab(lab, { port, rendererDir: RENDERER_DIR, version: packageVersion() });
  },
  exitNow: (code) => process.exit(code),
  engines: {
    list: (dir) => listEngines(dir === undefined ? {} : { engineDir: dir }),
    install: ({ dir, onProgress, signal }) =>
      installEngine({
        ...(dir === undefined ? {} : { dir }),
        onProgress: ({ step, steps, message }) => onProgress(`[${step}/${steps}] ${message}`),
        signal,
      }),
  },
  examine: (dataDir) =>
    examineComputer({
      engines: () => listEngines(),
      openDatasets: () => {
        const lab = open({ dataDir, listen: undefined, look: true });
        return { list: lab.datasets.list, close: lab.close };
      },
      docker: () => probeDocker(process.env.DOCKER_HOST),
      dataDir: dataDirOf(dataDir),
      nodeVersion: process.version,
    }),
  stdout: process.stdout,
  screen: process.stderr,
  onInterrupt,
};

/** Runs one command line in this process. @returns its exit code. */
export const runHeadless = async (argv: readonly string[]): Promise<number> => {
  toleratePipes();
  return await runCommandLine(argv, commandLineDeps);
};
