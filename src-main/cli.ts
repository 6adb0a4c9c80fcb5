/** Headless root: builds the rooms, wires them to the command line, and ends with its exit code. */
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { probeDocker } from "#main/fleet/probe-docker.ts";
import { type OpenLab, runCommandLine } from "#main/hosts/command-line.ts";
import type { StudyRecord } from "#main/hosts/commands.ts";
import { examine } from "#main/hosts/doctor.ts";
import { forkNode } from "#main/hosts/fork-node.ts";
import { listEngines } from "#main/learning/engines/engine.ts";
import { installEngine } from "#main/learning/engines/install-engine.ts";
import { parseAt, renderRounds, renderTable, summarise } from "#main/reports/reports.ts";
import { sheetsOf } from "#main/reports/sheets.ts";
import { type Lab, openLab } from "./lab.ts";

const userData = process.env.XDG_DATA_HOME ?? join(homedir(), ".local", "share");
const dataDirOf = (given: string | undefined): string =>
  given ?? process.env.FEDFLEET_DATA_DIR ?? join(userData, "fedfleet", "lab");

const open: Parameters<typeof runCommandLine>[1]["openLab"] = ({ dataDir, listen, look }) =>
  forCommandLine(
    openLab({
      dataDir: dataDirOf(dataDir),
      resourcesDir: fileURLToPath(new URL("../resources/", import.meta.url)),
      fork: forkNode,
      entries: {
        device: new URL("./device-worker.ts", import.meta.url),
        evaluation: new URL("./evaluation-worker.ts", import.meta.url),
      },
      listen,
      look,
      onProgress: (message) => process.stderr.write(`${message}\n`),
    }),
  );

const reportInput = (record: StudyRecord) => {
  const { model, dataset, rounds } = record.study;
  return {
    study: { id: record.id, name: record.name, model, dataset, rounds },
    classes: record.classes.length,
    runs: record.runs,
  };
};

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
  render(record, format, at) {
    const input = reportInput(record);
    if (format === "rounds-csv") return renderRounds(input, "csv");
    return renderTable(summarise(input, parseAt(at)), format);
  },
  // Loaded only when it is asked for: no other command needs it.
  renderWorkbook: async (record, at) => {
    const { default: writeExcelFile } = await import("write-excel-file/node");
    return await writeExcelFile(sheetsOf(summarise(reportInput(record), parseAt(at)))).toBuffer();
  },
  datasets: {
    list: () => lab.catalogue.list(),
    add: (name, path) => lab.catalogue.register({ name, path }),
    download: (name, options) => lab.catalogue.download(name, options),
    remove: (name) => lab.store.datasets.remove(name),
  },
  close: lab.close,
});

// Whoever reads us may stop reading (`fedfleet list | head -1`): that is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  openLab: open,
  engines: {
    list: () => listEngines(),
    install: ({ dir, onProgress, signal }) =>
      installEngine({
        ...(dir === undefined ? {} : { dir }),
        onProgress: ({ step, steps, message }) => onProgress(`[${step}/${steps}] ${message}`),
        signal,
      }),
  },
  examine: (dataDir) =>
    examine({
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
  onInterrupt(listener) {
    process.on("SIGINT", listener);
    process.on("SIGTERM", listener);
    return () => {
      process.off("SIGINT", listener);
      process.off("SIGTERM", listener);
    };
  },
});
