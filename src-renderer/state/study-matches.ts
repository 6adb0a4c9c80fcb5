import type { StudyRow } from "#contract/views.ts";

/** Whether a study has every word of a search in its name, id, data, model or algorithms; case does not matter. */
export const studyMatches = (row: StudyRow, wanted: string): boolean => {
  const words = wanted
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const text = [row.name, row.id, row.dataset, row.model, ...row.algorithms].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
};
