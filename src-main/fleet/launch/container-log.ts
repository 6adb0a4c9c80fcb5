/** How a container's output comes from the engine: frames of 8 bytes of header and a piece of one of its streams. */

export interface LogReader {
  push(chunk: Buffer): void;
  /** Gives out a last line that has no end. */
  end(): void;
  /** When, by the board's clock, the latest piece was written (RFC 3339). */
  readonly latest: string | undefined;
}

const STAMP = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) /;
/** A longer line is cut: whoever prints one has something else in mind than to be read. */
const LINE_CHARACTERS = 16_384;

/**
 * Splits the log that an engine gives with `timestamps` into lines.
 *
 * @param after pieces up to this stamp were read before and are left out
 */
export const createLogReader = (
  onLine: (stream: "stdout" | "stderr", text: string) => void,
  after?: string,
): LogReader => {
  let bytes: Buffer = Buffer.alloc(0);
  let latest = after;
  const open = { stdout: "", stderr: "" };

  const give = (stream: "stdout" | "stderr"): void => {
    const text = open[stream].replace(/\r$/, "");
    open[stream] = "";
    onLine(stream, text.length > LINE_CHARACTERS ? `${text.slice(0, LINE_CHARACTERS)} …` : text);
  };

  /** One piece of the log: at most one line, with its stamp. */
  const piece = (stream: "stdout" | "stderr", text: string): void => {
    const stamp = STAMP.exec(text)?.[1];
    if (stamp !== undefined) {
      if (after !== undefined && !isLater(stamp, after)) return;
      latest = stamp;
    }
    const rest = stamp === undefined ? text : text.slice(stamp.length + 1);
    if (open[stream].length <= LINE_CHARACTERS) open[stream] += rest.replace(/\n$/, "");
    if (rest.endsWith("\n")) give(stream);
  };

  return {
    push(chunk) {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      let from = 0;
      while (bytes.length - from >= 8) {
        const size = bytes.readUInt32BE(from + 4);
        if (bytes.length - from - 8 < size) break;
        const text = bytes.toString("utf8", from + 8, from + 8 + size);
        piece(bytes[from] === 2 ? "stderr" : "stdout", text);
        from += 8 + size;
      }
      bytes = bytes.subarray(from);
    },
    end() {
      for (const stream of ["stdout", "stderr"] as const) if (open[stream] !== "") give(stream);
    },
    get latest() {
      return latest;
    },
  };
};

/** The engine leaves trailing zeros of the fraction out. */
const isLater = (a: string, b: string): boolean => {
  const key = (stamp: string): string => {
    const [seconds = "", fraction = ""] = stamp.replace("Z", "").split(".");
    return `${seconds}.${fraction.padEnd(9, "0")}`;
  };
  return key(a) > key(b);
};
