import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { DatasetLocation, Partition } from "#contract/dataset.ts";
import type { LabEventBody } from "#contract/events.ts";
import { type Failure, UserError } from "#contract/failure.ts";
import type { EngineInfo, ModelName } from "#contract/jobs.ts";
import { dataNames, fleetSize, type Study, virtualGroups, virtualNames } from "#contract/study.ts";
import { type Aggregator, createAggregator } from "#main/aggregator/aggregator.ts";
import type { Boards } from "#main/boards/boards.ts";
import type { Engagement } from "#main/boards/engagement.ts";
import type { DataWorker } from "#main/datasets/data-worker.ts";
import type { ListenOptions } from "#main/hosts/cli/arguments.ts";
import type { createEvaluator } from "#main/learning/evaluator.ts";
import type { Equipment } from "#main/runs/lab-ports.ts";
import type { Clients } from "#main/runs/ports.ts";
import { unlessAborted } from "#main/runs/unless-aborted.ts";
import { forgetKept } from "#main/virtual-devices/kept-state.ts";
import { createVirtualDevices, planWorkers } from "#main/virtual-devices/virtual-devices.ts";
import type { LabOptions } from "./lab-options.ts";

/** Where foreign clients are expected when nobody says otherwise: Flower's own default port. */
export const DEFAULT_LISTEN: ListenOptions = {
  host: "127.0.0.1",
  port: 8080,
  insecure: false,
  joinToken: undefined,
  allow: [],
  tlsCert: undefined,
  tlsKey: undefined,
};

/** Brings up what a study needs, in the order in which it is needed: the server listens before any client starts. */
export const equip = async (input: {
  readonly id: string;
  readonly study: Study;
  readonly dataset: DatasetLocation | undefined;
  readonly partition: Partition | undefined;
  readonly numClasses: number;
  /** Aborted when a person stops the study: nothing more is brought up, and what is up is taken down. */
  readonly signal: AbortSignal;
  readonly options: LabOptions;
  readonly emit: (body: LabEventBody) => void;
  /** The study's runs that are done or failed, by id. */
  readonly runsThatAreOver: () => readonly string[];
  /** Aborted when the store can no longer record. */
  readonly unrecorded: AbortSignal;
  readonly evaluator: ReturnType<typeof createEvaluator>;
  readonly boards: Pick<Boards, "engage">;
  /** Writes a device's part of the data into files. */
  readonly part: DataWorker["part"];
  /** The run that is under way. */
  readonly run: () => string;
  readonly dataDir: string;
}): Promise<Equipment> => {
  const { study, options, emit, signal } = input;
  const foreign = (study.fleet.external ?? 0) > 0 || options.listen !== undefined;
  const listen = options.listen ?? DEFAULT_LISTEN;
  const aggregator = createAggregator({
    emit,
    admission: foreign ? admissionOf(listen) : { kind: "allow", addresses: [] },
  });
  let fleet: ReturnType<typeof createVirtualDevices> | undefined;
  let engagement: Engagement | undefined;
  const keptDir = join(input.dataDir, "kept");
  const broken = new AbortController();
  // Clients are told to leave before their processes end: the other way round each would count as lost.
  const close = async (politely: boolean) => {
    // Clients on boards end by themselves when they are sent away: from now on that is what they should do.
    const leaving = engagement?.stop(politely);
    if (politely) await aggregator.close();
    await Promise.all([fleet?.stop(), leaving]);
    if (!politely) await aggregator.close({ deadlineMs: 0 });
    // What devices kept of a run is of no use once it is over; before, a resume needs it.
    for (const run of input.runsThatAreOver()) await forgetKept(keptDir, run);
  };
  try {
    const say = options.onProgress ?? (() => {});
    if (foreign) {
      const at = await listenForForeign(aggregator, listen, options.listen !== undefined);
      const host = at.host.includes(":") ? `[${at.host}]` : at.host;
      tellWhoIsTooMany(aggregator, study, say);
      say(`listening on ${host}:${at.port} for Flower clients (${study.fleet.external ?? 0} wanted)`);
    }
    const { dataset, partition } = input;
    const onBoards = study.fleet.devices ?? [];
    if (dataset !== undefined && partition !== undefined && onBoards.length > 0) {
      say(`starting the client on ${onBoards.length === 1 ? onBoards[0] : `${onBoards.length} boards`}`);
      engagement = input.boards.engage({
        study: input.id,
        run: input.run,
        devices: onBoards,
        model: study.model,
        seed: study.seed,
        batchSize: study.batchSize,
        part: (device, dataFolder) => {
          const i = dataNames(study.fleet).indexOf(device);
          return input.part({
            location: dataset,
            train: partition.train[i] ?? [],
            test: partition.test[i] ?? [],
            dir: join(input.dataDir, "parts"),
            folder: dataFolder !== undefined,
          });
        },
        accept: aggregator.accept,
        fleetSize: fleetSize(study.fleet),
        signal,
      });
    }
    if (dataset !== undefined && partition !== undefined && virtualNames(study.fleet).length > 0) {
      const server = await aggregator.listen({ host: "127.0.0.1", port: 0 });
      const model = study.model as ModelName;
      const plan = planWorkers({
        cores: availableParallelism(),
        devices: virtualNames(study.fleet).length,
        model,
      });
      const workers = plan.workers === 1 ? "1 worker process" : `${plan.workers} worker processes`;
      say(`starting ${virtualNames(study.fleet).length} virtual devices in ${workers}`);
      fleet = createVirtualDevices({
        fork: options.fork,
        entry: options.entries.device,
        ...plan,
        emit,
        onGivenUp: (error) => broken.abort(error),
      });
      signal.throwIfAborted();
      const started = fleet.start({
        server,
        dataset,
        model,
        numClasses: input.numClasses,
        seed: study.seed,
        keptDir,
        devices: virtualDevices(study, partition, aggregator),
      });
      await unlessAborted(started, signal);
    }
    // What trains decides the weights; the evaluator only measures them.
    const engine: EngineInfo =
      fleet === undefined ? await unlessAborted(input.evaluator.engine(), signal) : fleet.engine();
    return {
      clients: explained(aggregator, [fleet?.explain, engagement?.explain]),
      broken: AbortSignal.any([broken.signal, input.unrecorded]),
      evaluate: (job) => input.evaluator.evaluate(job),
      engine,
      close,
    };
  } catch (error) {
    await close(false);
    throw error;
  }
};

/** A client that joins beyond those that the study has room for waits for ever: both sides should know. */
const tellWhoIsTooMany = (aggregator: Aggregator, study: Study, say: (message: string) => void): void => {
  const room = study.fleet.external ?? 0;
  const told = new Set<string>();
  aggregator.onChange(() => {
    for (const { device, crew, address } of aggregator.sessions()) {
      if (crew !== "external" || told.has(address) || Number(device.slice("external-".length)) <= room)
        continue;
      told.add(address);
      say(`${device} (${address}) has joined, but this study has room for ${room}: it is not drawn`);
    }
  });
};

type Explain = (failure: Failure) => Promise<Failure>;

/** The sessions, with the reason of a device's failure where its worker or its board knows better than the wire. */
const explained = (aggregator: Aggregator, explainers: readonly (Explain | undefined)[]): Clients => ({
  onChange: aggregator.onChange,
  sessions: () =>
    aggregator.sessions().map((session) => ({
      device: session.device,
      get busy() {
        return session.busy;
      },
      async request(message, hooks) {
        const answer = await session.request(message, hooks);
        if (answer.ok) return answer;
        let failure: Failure = { ...answer.failure, device: session.device };
        for (const explain of explainers) failure = (await explain?.(failure)) ?? failure;
        return { ok: false, failure };
      },
    })),
});

const virtualDevices = (study: Study, partition: Partition, aggregator: Aggregator) => {
  const profiles = virtualGroups(study.fleet).flatMap(({ count, slowness, dropOut, crash }) =>
    Array.from({ length: count }, () => ({ slowness, dropOut, crash })),
  );
  return virtualNames(study.fleet).map((name, i) => ({
    name,
    ticket: aggregator.issueTicket(name),
    trainIndices: partition.train[i] ?? [],
    testIndices: partition.test[i] ?? [],
    profile: profiles[i] ?? { slowness: 1, dropOut: 0, crash: 0 },
  }));
};

const admissionOf = (listen: ListenOptions) => {
  if (listen.joinToken !== undefined) return { kind: "token", token: listen.joinToken } as const;
  if (listen.allow.length > 0) return { kind: "allow", addresses: listen.allow } as const;
  return { kind: "open" } as const;
};

const listenForForeign = async (
  aggregator: Aggregator,
  listen: ListenOptions,
  isChosen: boolean,
): Promise<{ host: string; port: number }> => {
  const read = (file: string, option: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      throw new UserError(`${option} ${file}: ${(error as Error).message}`, { cause: error });
    }
  };
  const tls =
    listen.tlsCert === undefined || listen.tlsKey === undefined
      ? undefined
      : { cert: read(listen.tlsCert, "--tls-cert"), key: read(listen.tlsKey, "--tls-key") };
  const { host, port } = listen;
  try {
    return await aggregator.listen({ host, port, ...(tls === undefined ? {} : { tls }) });
  } catch (error) {
    const inUse = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === "EADDRINUSE";
    // Whoever starts studies in the page has named no address, and has no option to name one.
    throw new UserError(
      inUse && !isChosen
        ? `another program uses ${host}:${port}, where this study awaits its Flower clients. End that program and resume the study, or run it from the command line with --listen HOST:PORT.`
        : `--listen ${host}:${port}: ${(error as Error).message}`,
      { cause: error },
    );
  }
};
