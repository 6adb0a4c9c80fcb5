/** How far a build is, and what to show of it: read from the engine's messages. */

/** One of the JSON objects, a line each, that the engine sends while it builds, pulls or loads. */
export interface EngineMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: { readonly ID?: string };
}

/** Objects of a stream of JSON lines; what is not JSON is left out. */
export const messagesOf = async function* (
  stream: AsyncIterable<Buffer | string>,
): AsyncGenerator<EngineMessage> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const message = parse(line);
      if (message !== undefined) yield message;
    }
  }
  const last = parse(rest);
  if (last !== undefined) yield last;
};

const parse = (line: string): EngineMessage | undefined => {
  if (line.trim() === "") return undefined;
  try {
    return JSON.parse(line) as EngineMessage;
  } catch {
    return undefined;
  }
};

/** The weight of each instruction; RUN takes nearly all the time. */
const instructionWeights = (dockerfile: string): number[] =>
  dockerfile
    .replaceAll(/^\s*#.*\n?/gm, "")
    .replaceAll(/\\\s*\n/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => (/^\s*RUN\b/i.test(line) ? 20 : /^\s*FROM\b/i.test(line) ? 10 : 1));

/** After this many lines of its output, about two thirds of an instruction are done. */
const LINES = 150;
/** A layer is fetched, then unpacked. */
const FETCHED = 0.8;

/**
 * @returns reads one message: the lines to show, and the fraction that is done, which never falls
 */
export const createBuildProgress = (dockerfile: string) => {
  const weights = instructionWeights(dockerfile);
  const layers = new Map<string, number>();
  let step = 0;
  let steps = weights.length;
  let linesOfStep = 0;
  let reached = 0;
  let partial = "";

  // The engine adds an instruction for the labels, at the end.
  const weightOf = (index: number): number => weights[index] ?? 1;
  const fraction = (): number => {
    if (steps === 0) return 0;
    let total = 0;
    let before = 0;
    for (let index = 0; index < steps; index++) {
      total += weightOf(index);
      if (index < step - 1) before += weightOf(index);
    }
    const pulled =
      layers.size === 0 ? 0 : [...layers.values()].reduce((sum, one) => sum + one, 0) / layers.size;
    const within = Math.max(pulled * 0.95, 1 - Math.exp(-linesOfStep / LINES));
    reached = Math.max(reached, Math.min(1, (before + (step > 0 ? weightOf(step - 1) * within : 0)) / total));
    return reached;
  };

  const readPull = ({ id, status = "", progressDetail }: EngineMessage): string[] => {
    if (id === undefined) return [status];
    const { current = 0, total = 0 } = progressDetail ?? {};
    const part = total > 0 ? current / total : 0;
    const isNew = !layers.has(id);
    if (/^Pulling fs layer|^Waiting/.test(status)) layers.set(id, 0);
    else if (status.startsWith("Downloading")) layers.set(id, part * FETCHED);
    else if (/^(Verifying|Download complete)/.test(status)) layers.set(id, FETCHED);
    else if (status.startsWith("Extracting")) layers.set(id, FETCHED + part * (1 - FETCHED));
    else if (/^(Pull complete|Already exists)/.test(status)) layers.set(id, 1);
    else return [`${id}: ${status}`];
    return isNew || /complete|exists/.test(status) ? [`${id}: ${status}`] : [];
  };

  return {
    read(message: EngineMessage): { readonly lines: readonly string[]; readonly fraction: number } {
      if (message.status !== undefined) {
        const lines = readPull(message);
        return { lines, fraction: fraction() };
      }
      const parts = (partial + (message.stream ?? "")).split("\n");
      partial = parts.pop()!;
      for (const line of parts) {
        const [, k, n] = /^Step (\d+)\/(\d+) : /.exec(line) ?? [];
        if (line.startsWith("Successfully built ")) reached = 1;
        else if (k === undefined) linesOfStep += 1;
        else {
          step = Number(k);
          steps = Number(n);
          linesOfStep = 0;
          layers.clear();
        }
      }
      return { lines: parts, fraction: fraction() };
    },
  };
};
