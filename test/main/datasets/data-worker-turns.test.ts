import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import { parseStudy, type StudyInput } from "#contract/study.ts";
import { createDataWorker, type DataWorker } from "#main/datasets/data-worker.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { openStudy } from "#main/runs/open-study.ts";

const entry = new URL("../../../src-main/processes/data-worker.ts", import.meta.url);
const sample: DatasetLocation = {
  name: "fashion-mnist-sample",
  format: "fashion-mnist-sample-idx",
  path: fileURLToPath(new URL("../../../resources/data/fashion-mnist-sample", import.meta.url)),
};

let dataWorker: DataWorker | undefined;
const open = (): DataWorker => {
  dataWorker = createDataWorker({ fork: forkNode, entry });
  return dataWorker;
};
afterEach(async () => {
  await dataWorker?.close();
  dataWorker = undefined;
});

const study = (input: Partial<StudyInput> = {}) => {
  const parsed = parseStudy({
    name: "desk",
    dataset: "fashion-mnist-sample",
    model: "Net",
    algorithms: ["fedavg"],
    fleet: { virtual: 5 },
    rounds: 1,
    optimizer: { lr: 0.1 },
    ...input,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.study;
};
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => expect.unreachable("was accepted"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
};

describe("turns at the data worker", () => {
  it("does not deal a partition whose asker has left", async () => {
    const { deal } = open();
    const asker = new AbortController();
    const first = deal(study(), sample);
    const second = refusalOf(deal(study({ seed: 2 }), sample, asker.signal));
    const third = deal(study({ seed: 3 }), sample);
    asker.abort();
    expect((await first).ok).toBe(true);
    expect(await second).toContain("no longer needed");
    expect((await third).ok).toBe(true);
  });

  it("tells an asker who leaves at once, while another partition is still dealt", async () => {
    const { deal } = open();
    const asker = new AbortController();
    let isDealt = false;
    const first = deal(study({ partition: { kind: "dirichlet", alpha: 0.5 } }), sample).finally(() => {
      isDealt = true;
    });
    const second = refusalOf(deal(study({ seed: 2 }), sample, asker.signal));
    asker.abort();
    expect(await second).toContain("no longer needed");
    expect(isDealt).toBe(false);
    expect(await refusalOf(deal(study(), sample, asker.signal))).toContain("no longer needed");
    expect((await first).ok).toBe(true);
  });

  it("deals a study that starts before previews that wait", async () => {
    const { labels, deal, partition } = open();
    const order: string[] = [];
    const previews = [1, 2, 3].map((seed) => deal(study({ seed }), sample).then(() => order.push("preview")));
    const wanted = study({ partition: { kind: "shards", shardsPerClient: 2 }, seed: 7 });
    const found = await partition(wanted, sample);
    order.push("study");
    await Promise.all(previews);
    expect(order.indexOf("study")).toBeLessThan(2);
    const known = await labels(sample);
    const { classNames, sha256: data } = known;
    expect(found).toEqual({ classNames, samples: 6000, sha256: data, ...openStudy(wanted, known, sha256) });
    const refused = await partition(study({ partition: { kind: "shards", shardsPerClient: 2000 } }), sample);
    expect(refused).toMatchObject({
      ok: false,
      problems: [{ path: "partition.shardsPerClient" }],
      classNames,
    });
  });
});
