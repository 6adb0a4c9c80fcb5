import type { BoardLogLine } from "#contract/boards.ts";

const EVERY_MS = 300;

type Line = Omit<BoardLogLine, "id">;

export interface OutputPorts {
  /** @returns the lines with their numbers */
  record(device: string, lines: readonly Line[]): readonly BoardLogLine[];
  pass(device: string, lines: readonly BoardLogLine[]): void;
}

/** Gathers the lines that clients print, so that a thousand of them cost one commit and one message. */
export const createOutput = (ports: OutputPorts) => {
  const waiting = new Map<string, Line[]>();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const all = [...waiting];
    waiting.clear();
    for (const [device, lines] of all) ports.pass(device, ports.record(device, lines));
  };

  return {
    add(device: string, line: Line): void {
      const lines = waiting.get(device);
      if (lines === undefined) waiting.set(device, [line]);
      else lines.push(line);
      timer ??= setTimeout(flush, EVERY_MS).unref();
    },
    flush,
  };
};
