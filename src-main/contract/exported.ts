import type { Exported, ExportPart } from "./views.ts";

/** A report that arrives in parts, put together. @throws when it ends before it is whole */
export const putTogether = async (parts: AsyncIterable<ExportPart>): Promise<Exported> => {
  let head: Extract<ExportPart, { filename: string }> | undefined;
  const texts: string[] = [];
  for await (const part of parts) {
    if ("filename" in part) head = part;
    else texts.push(part.text);
  }
  if (head === undefined || texts.length !== head.parts) {
    throw new Error("The lab ended before the whole file had arrived. Export it again.");
  }
  const { filename, mediaType, encoding } = head;
  return { filename, mediaType, encoding, content: texts.join("") };
};
