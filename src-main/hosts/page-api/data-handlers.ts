import { basename } from "node:path";
import type { DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import type { DatasetsView, DatasetView, SamplesView, Transfer } from "#contract/views.ts";
import { page } from "./base.ts";
import { browseFolder } from "./browse-folder.ts";
import { datasetView, type Entry, plainProblem } from "./dataset-view.ts";
import { createTransfers } from "./transfers.ts";

/** Images of each class on the sheet. */
const COLUMNS = 10;
/** Sheets to cache: each is a few hundred kilobytes. */
const SHEETS = 8;

export interface DataPorts {
  readonly catalogue: {
    list(): Promise<readonly Entry[]>;
    look(name: string): Promise<Entry | undefined>;
    find(name: string): Promise<DatasetLocation>;
    register(entry: { readonly name?: string | undefined; readonly path: string }): Promise<Entry>;
    download(
      name: string,
      options: { onProgress(done: number, total: number): void; readonly signal: AbortSignal },
    ): Promise<Entry>;
  };
  readonly registry: {
    list(): readonly { readonly name: string }[];
    /** @returns whether there was one */
    remove(name: string): boolean;
  };
  samples(
    location: DatasetLocation,
    perClass: number,
  ): Promise<Omit<SamplesView, "name" | "sheet"> & { readonly png: Uint8Array }>;
  tell(notice: { kind: "catalogue-changed" } | { kind: "transfer"; transfer: Transfer }): void;
  /** Called with a bug in work that runs in the background. */
  onBug(error: unknown): void;
  readonly home: string;
  /** Aborted when the lab closes: downloads stop, and continue the next time. */
  readonly closed: AbortSignal;
}

export const dataHandlers = (ports: DataPorts) => {
  const { catalogue, registry } = ports;
  const transfers = createTransfers((transfer) => ports.tell({ kind: "transfer", transfer }));
  const downloads = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>();
  const sheets = new Map<string, { readonly path: string; readonly view: Promise<SamplesView> }>();

  const isRegistered = (name: string) => registry.list().some((entry) => entry.name === name);
  const viewOf = (entry: Entry): DatasetView => datasetView(entry, isRegistered(entry.name));
  const view = async (): Promise<DatasetsView> => ({
    entries: (await catalogue.list()).map(viewOf),
    transfers: transfers.list(),
  });
  const changed = (name: string): void => {
    sheets.delete(name);
    ports.tell({ kind: "catalogue-changed" });
  };
  const refuseWhileBusy = (name: string): void => {
    const transfer = transfers.running(name);
    if (transfer === undefined) return;
    throw new UserError(
      transfer.what === "download"
        ? `${name} is being downloaded. Stop the download or wait until it is complete.`
        : `${name} is being registered. Wait until it appears on the list.`,
    );
  };

  const sheetOf = (location: DatasetLocation): Promise<SamplesView> => {
    const { name, path } = location;
    const known = sheets.get(name);
    if (known?.path === path) return known.view;
    const made = ports.samples(location, COLUMNS).then(({ png, ...rest }) => ({
      name,
      ...rest,
      sheet: `data:image/png;base64,${Buffer.from(png).toString("base64")}`,
    }));
    sheets.delete(name);
    sheets.set(name, { path, view: made });
    const oldest = sheets.keys().next().value;
    if (sheets.size > SHEETS && oldest !== undefined) sheets.delete(oldest);
    made.catch(() => {
      if (sheets.get(name)?.view === made) sheets.delete(name);
    });
    return made;
  };

  const startDownload = (name: string): void => {
    const stop = new AbortController();
    const transfer = transfers.start(name, "download");
    const run = async (): Promise<void> => {
      try {
        await catalogue.download(name, {
          onProgress: transfer.progress,
          signal: AbortSignal.any([stop.signal, ports.closed]),
        });
        transfer.end("done");
        changed(name);
      } catch (error) {
        if (stop.signal.aborted || ports.closed.aborted) return transfer.end("stopped");
        if (!(error instanceof UserError)) ports.onBug(error);
        transfer.end("failed", plainProblem((error as Error).message));
      } finally {
        downloads.delete(name);
      }
    };
    downloads.set(name, { stop, ended: run() });
  };

  return {
    view: page.data.view.handler(view),

    samples: page.data.samples.handler(async ({ input: { name } }) => {
      const entry = await catalogue.look(name);
      if (entry === undefined) throw new UserError(`There is no data set called ${name}.`);
      const { state, problem, next } = viewOf(entry);
      if (state !== "ready") {
        throw new UserError(`${problem ?? `${name} is not on this computer.`} ${next ?? ""}`.trim());
      }
      return await sheetOf(await catalogue.find(name));
    }),

    register: page.data.register.handler(async ({ input }) => {
      const name = input.name?.trim() || undefined;
      const called = name ?? basename(input.path);
      refuseWhileBusy(called);
      const transfer = transfers.start(called, "register");
      try {
        const entry = await catalogue.register({ name, path: input.path });
        transfer.end("done");
        changed(entry.name);
        return viewOf(entry);
      } catch (error) {
        if (!(error instanceof UserError)) {
          transfer.end("failed", "The lab failed with an internal error. See its log for details.");
          throw error;
        }
        const problem = plainProblem(error.message);
        transfer.end("failed", problem);
        throw new UserError(problem, { cause: error });
      }
    }),

    download: page.data.download.handler(async ({ input: { name } }) => {
      if (transfers.running(name)?.what === "download") return await view();
      refuseWhileBusy(name);
      const entry = await catalogue.look(name);
      if (entry?.downloadBytes === undefined) {
        throw new UserError(
          entry === undefined
            ? `There is no data set called ${name}.`
            : `${name} cannot be downloaded. Register a copy that you already have.`,
        );
      }
      // a second request may have started it while the list was read
      if (transfers.running(name) === undefined) startDownload(name);
      return await view();
    }),

    stopDownload: page.data.stopDownload.handler(async ({ input: { name } }) => {
      const download = downloads.get(name);
      if (download === undefined) throw new UserError(`${name} is not being downloaded.`);
      download.stop.abort();
      await download.ended;
      return await view();
    }),

    remove: page.data.remove.handler(async ({ input: { name } }) => {
      refuseWhileBusy(name);
      if (!registry.remove(name)) {
        throw new UserError(`${name} was not registered in this lab, so it cannot be removed from the list.`);
      }
      transfers.forget(name);
      changed(name);
      return await view();
    }),

    browse: page.data.browse.handler(({ input }) => browseFolder(input.path, ports.home)),
  };
};
