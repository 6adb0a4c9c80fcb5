/** How a container's output comes from the engine: frames of 8 bytes of header and a piece of one of its streams. */

export interface LogReader {
  push(chunk: Buffer): void;
  /** Passes on a last line without a line end. */
  end(): void;
  /** When, by the board's clock, the latest piece was written (RFC 3339). */
  readonly latest: string | undefined;
}

const HEADER_BYTES = 8;
const STAMP = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) /;
/** A longer line is cut: it is not meant to be read. */
const LINE_CHARACTERS = 4000;
/** How much of a piece is kept; engines make them 16 KiB long at most. */
const PIECE_BYTES = 64 << 10;

/**
 * Splits the log that an engine gives with `timestamps` into lines. Takes any bytes, and keeps few of them.
 *
 * @param after pieces up to this stamp were read before and are left out
 */
export const createLogReader = (
  onLine: (stream: "stdout" | "stderr", text: string) => void,
  after?: string,
): LogReader => {
  let bytes: Buffer = Buffer.alloc(0);
  /** Bytes of a piece that have not arrived yet and will be skipped. */
  let skip = 0;
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
    const isWhole = rest.endsWith("\n");
    if (open[stream].length <= LINE_CHARACTERS) open[stream] += isWhole ? rest.slice(0, -1) : rest;
    if (isWhole) give(stream);
  };

  return {
    push(chunk) {
      let from = Math.min(skip, chunk.length);
      skip -= from;
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      while (bytes.length - from >= HEADER_BYTES) {
        const size = bytes.readUInt32BE(from + 4);
        const kept = Math.min(size, PIECE_BYTES);
        const begin = from + HEADER_BYTES;
        if (bytes.length - begin < kept) break;
        piece(bytes[from] === 2 ? "stderr" : "stdout", bytes.toString("utf8", begin, begin + kept));
        from = begin + size;
      }
      skip += Math.max(0, from - bytes.length);
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
