import stringWidth from "string-width";

/** Shortens a text to so many terminal columns, with an ellipsis. Wide characters count as two. */
export const fitText = (text: string, columns: number): string => {
  if (stringWidth(text) <= columns) return text;
  let fitted = "";
  for (const { segment } of new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text)) {
    if (stringWidth(fitted + segment) > columns - 1) break;
    fitted += segment;
  }
  return `${fitted}…`;
};

/** Fills a text with spaces to so many terminal columns. */
export const padText = (text: string, columns: number): string =>
  text + " ".repeat(Math.max(0, columns - stringWidth(text)));
