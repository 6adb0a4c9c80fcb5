/** One question of the probe: the exit status of what answered it, and its lines. */
export interface Section {
  readonly status: number;
  readonly lines: readonly string[];
}

export interface Sections {
  /** Undefined where the question was not asked or the output was cut off before it. */
  get(name: string): Section | undefined;
  /** The lines of a question that was answered with success; otherwise none. */
  lines(name: string): readonly string[];
  /** The first of them that holds something, or "". */
  first(name: string): string;
  /** The first JSON object among the lines, whatever the exit status. */
  json(name: string): Readonly<Record<string, unknown>> | undefined;
}

/** The first line of what the probe prints. */
const MARKER = "fedfleet-probe 1";
/** More than any question takes; a board that prints more is not read further. */
const LONGEST_LINE = 200_000;

/** @returns undefined where the probe did not run at all */
export const readSections = (text: string): Sections | undefined => {
  const lines = text.split(/\r?\n/);
  const start = lines.indexOf(MARKER);
  if (start < 0) return undefined;
  const found = new Map<string, { status: number; lines: string[] }>();
  let open: { status: number; lines: string[] } | undefined;
  for (const line of lines.slice(start + 1)) {
    const header = /^= ([a-z0-9-]{1,40}) (\d{1,3})$/.exec(line);
    if (header) {
      open = { status: Number(header[2]), lines: [] };
      // The first answer counts: nothing that comes later can put another in its place.
      if (!found.has(header[1]!)) found.set(header[1]!, open);
    } else if (open !== undefined && line.startsWith(" ") && line.length <= LONGEST_LINE) {
      open.lines.push(line.slice(1));
    }
  }
  const answered = (name: string): readonly string[] => {
    const section = found.get(name);
    return section?.status === 0 ? section.lines : [];
  };
  return {
    get: (name) => found.get(name),
    lines: answered,
    first: (name) =>
      answered(name)
        .map((line) => line.trim())
        .find((line) => line !== "") ?? "",
    json: (name) => {
      for (const line of found.get(name)?.lines ?? []) {
        if (!line.startsWith("{")) continue;
        try {
          return JSON.parse(line) as Record<string, unknown>;
        } catch {
          // Cut off or mixed with something else: the next line may be whole.
        }
      }
      return undefined;
    },
  };
};
