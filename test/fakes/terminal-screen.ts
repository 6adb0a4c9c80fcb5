import stringWidth from "string-width";

/** A terminal that shows what was written to it: understands the control sequences of a redrawn block. */
export const createTerminalScreen = (size: { columns: number; rows: number }) => {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;

  const lineAt = (at: number): string[] => {
    while (lines.length <= at) lines.push([]);
    return lines[at]!;
  };
  const put = (character: string) => {
    const width = stringWidth(character);
    if (column + width > size.columns) {
      row += 1;
      column = 0;
    }
    const line = lineAt(row);
    while (line.length < column) line.push(" ");
    line[column] = character;
    // the second half of a wide character
    if (width === 2) line[column + 1] = "";
    column += width;
  };
  const control = (sequence: string) => {
    const [, count = "", letter = ""] = /^(\??\d*)([A-Za-z])$/.exec(sequence) ?? [];
    const by = Number(count || 1);
    if (letter === "A") row = Math.max(0, row - by);
    else if (letter === "B") row += by;
    else if (letter === "G") column = by - 1;
    else if (letter === "K" && count === "2") lines[row] = [];
    else if (letter === "K" && count === "") lineAt(row).length = Math.min(lineAt(row).length, column);
    else if (count !== "?2026") throw new Error(`unknown control sequence ${sequence}`);
  };

  return {
    isTTY: true,
    ...size,
    write(text: string): boolean {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what a terminal reads
      for (const [part, sequence] of text.matchAll(/\u001b\[(\??\d*[A-Za-z])|\r|\n|[^\u001b]/gu)) {
        if (sequence !== undefined) control(sequence);
        else if (part === "\r") column = 0;
        else if (part === "\n") {
          row += 1;
          column = 0;
          lineAt(row);
        } else put(part);
      }
      return true;
    },
    /** What is to be seen, without the empty end. */
    text: (): string =>
      lines
        .map((line) => line.join("").trimEnd())
        .join("\n")
        .trimEnd(),
  };
};
