import { Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { parseStudy } from "#contract/study.ts";
import { type Draft, tidy } from "./draft.ts";

/** A study file is a page or two; more is not one. */
const MOST_BYTES = 1_000_000;
const MOST_NAMED = 5;

/** The draft as a file that the command line runs, too. Short groups stand on one line, as in the examples. */
export const toYaml = (draft: Draft): string => {
  const document = new Document(tidy(draft));
  const flatten = (node: unknown, depth: number): void => {
    if (!isMap(node) && !isSeq(node)) return;
    const items: readonly unknown[] = isMap(node) ? node.items.map((pair) => pair.value) : node.items;
    if (depth > 0 && items.every((item) => isScalar(item))) node.flow = true;
    for (const item of items) flatten(item, depth + 1);
  };
  flatten(document.contents, 0);
  return document.toString({ lineWidth: 110 });
};

export type OpenedFile =
  | { readonly ok: true; readonly draft: Draft }
  /** One sentence each, with the field or the line. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads a study file, YAML or JSON. */
export const readStudyFile = (text: string): OpenedFile => {
  if (text.length > MOST_BYTES) return refused("it is too large to be a study file");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) return refused(`line ${lines.linePos(error.pos[0]).line}: ${error.message}`);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    return refused(cause instanceof Error ? cause.message : String(cause));
  }
  if (typeof content !== "object" || content === null || Array.isArray(content))
    return refused("it is not a study file: settings such as name, dataset and rounds are expected");
  const parsed = parseStudy(content);
  if (parsed.ok) return { ok: true, draft: tidy(content as Draft) };
  const lineOf = (path: string): string => {
    const keys = path.split(/[.[\]]+/).filter((key) => key !== "");
    const node = document.getIn(keys, true);
    const range = isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
    return range === undefined || range === null ? "" : ` (line ${lines.linePos(range[0]).line})`;
  };
  const named = parsed.problems
    .slice(0, MOST_NAMED)
    .map(({ path, message }) => (path === "" ? message : `${path}${lineOf(path)}: ${message}`));
  const more = parsed.problems.length - named.length;
  return { ok: false, problems: more > 0 ? [...named, `and ${more} more`] : named };
};

const refused = (why: string): OpenedFile => ({ ok: false, problems: [why] });
