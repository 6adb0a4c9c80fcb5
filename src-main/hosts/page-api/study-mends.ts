import { dataNames, fleetSize } from "#contract/fleet.ts";
import type { Study, StudyProblem } from "#contract/study.ts";
import type { ReadyCheck } from "#contract/views.ts";
import { valueAt } from "./lenient-study.ts";

/** Facts of the data that limit the fleet. */
export interface DataFacts {
  /** Training samples in total. */
  readonly samples: number;
  readonly classes: number;
}

type Patch = Readonly<Record<string, unknown>>;
interface Mend {
  readonly kind: ReadyCheck["kind"];
  readonly patch: Patch;
  readonly label: string;
}

const asSentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** Settings that must not exceed the size of the fleet. */
const WITHIN_FLEET: readonly string[] = ["sampling.minFit", "sampling.minAvailable", "stop.minUpdates"];

const mendOf = (
  { path }: StudyProblem,
  input: unknown,
  study: Study | undefined,
  data: DataFacts | undefined,
): Mend | undefined => {
  const written = valueAt(input, path);
  if (study === undefined) return undefined;
  const total = fleetSize(study.fleet);
  const devices = dataNames(study.fleet).length;
  const onlyExternal = devices === 0;
  if (WITHIN_FLEET.includes(path) && typeof written === "number" && written > total) {
    return { kind: "devices", patch: { [path]: total }, label: `Set it to ${total}` };
  }
  switch (path) {
    case "stop.graceSeconds":
      return typeof written === "number" && written > 0
        ? { kind: "devices", patch: { [path]: 0 }, label: "No grace period" }
        : undefined;
    case "evaluation":
      return {
        kind: "devices",
        patch: { "evaluation.central": false, "evaluation.federated": true },
        label: "Evaluate on the devices",
      };
    case "dataset":
      return written === "on-clients" && onlyExternal
        ? { kind: "data", patch: { "evaluation.central": false }, label: "Evaluate on the clients only" }
        : undefined;
    case "model":
      return written === "from-client" && onlyExternal
        ? { kind: "devices", patch: { "evaluation.central": false }, label: "Evaluate on the clients only" }
        : undefined;
    case "partition.shardsPerClient": {
      const most = data === undefined || devices === 0 ? 0 : Math.floor(data.samples / devices);
      return most < 1 ? undefined : { kind: "data", patch: { [path]: most }, label: `Set it to ${most}` };
    }
    case "partition.minSamples": {
      const most = data === undefined || devices === 0 ? 0 : Math.floor(data.samples / devices);
      return most < 1 ? undefined : { kind: "data", patch: { [path]: most }, label: `Set it to ${most}` };
    }
    case "partition.classes":
      return data === undefined
        ? undefined
        : { kind: "data", patch: { [path]: data.classes }, label: `Set it to ${data.classes}` };
    case "fleet.virtual":
      return data !== undefined && typeof written === "number" && written > data.samples
        ? { kind: "devices", patch: { [path]: data.samples }, label: `Set it to ${data.samples}` }
        : undefined;
    default:
      return undefined;
  }
};

/** The problems that one click can fix, each as a line of the readiness list. */
export const mendable = (
  problems: readonly StudyProblem[],
  input: unknown,
  study: Study | undefined,
  data: DataFacts | undefined,
): ReadyCheck[] =>
  problems.flatMap((problem): ReadyCheck[] => {
    const mend = mendOf(problem, input, study, data);
    if (mend === undefined) return [];
    const { kind, patch, label } = mend;
    const text = asSentence(problem.message);
    return [{ kind, state: "missing", text, mend: { do: "set", patch, label } }];
  });
