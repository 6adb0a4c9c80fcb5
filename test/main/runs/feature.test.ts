import { expect, test } from "vitest";
import type { FeatureSettings } from "#contract/jobs.ts";
import { parseStudy } from "#contract/study.ts";
import { algorithmOf } from "#main/federation/algorithms.ts";
import { conductRun } from "#main/runs/conduct-run.ts";
import { type Behaviour, control, fakeClients, fakeLab, fakeModel, OK } from "#test/fakes/lab.ts";

const sent = (config: object): { feature?: FeatureSettings } => {
  const entry = (config as { fedfleet: string | { value: string } }).fedfleet;
  return JSON.parse(typeof entry === "string" ? entry : entry.value);
};

test("an algorithm's feature reaches training, the devices' evaluation and central evaluation", async () => {
  const parsed = parseStudy({
    name: "t",
    dataset: "x",
    model: "Net",
    algorithms: ["fedavg"],
    fleet: { virtual: 2 },
    rounds: 1,
    optimizer: { lr: 0.1 },
    evaluation: { central: true, federated: true },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { study } = parsed;
  const feature = { kind: "l2-normalised" } as const;
  const seen: Record<string, (FeatureSettings | undefined)[]> = { fit: [], evaluate: [], central: [] };
  const behave: Behaviour = async (_, message) => {
    if (message.kind === "fit") {
      seen.fit!.push(sent(message.config).feature);
      const { parameters } = message;
      return { ok: true, value: { kind: "fit", status: OK, parameters, examples: 1, metrics: { loss: 1 } } };
    }
    if (message.kind !== "evaluate") throw new Error(message.kind);
    seen.evaluate!.push(sent(message.config).feature);
    return { ok: true, value: { kind: "evaluate", status: OK, loss: 1, examples: 1, metrics: {} } };
  };
  const ports = {
    ...fakeLab(fakeClients(["a", "b"], behave)),
    evaluate: async (_: string, settings: FeatureSettings) => {
      seen.central!.push(settings);
      return { metrics: { loss: 1, accuracy: 0 }, examples: 1, perClass: [] };
    },
  };
  const outcome = await conductRun(
    {
      study,
      run: { id: "r", algorithm: "fedavg", trial: 1, seed: 7 },
      algorithm: { ...algorithmOf("fedavg", study), feature },
      model: fakeModel,
      roster: ["a", "b"],
      hosted: [],
    },
    ports,
    control(),
  );
  expect(outcome).toMatchObject({ status: "done" });
  // central evaluation runs before the first round as well
  expect(seen).toEqual({
    fit: [feature, feature],
    evaluate: [feature, feature],
    central: [feature, feature],
  });
});
