import type { StudyProblem } from "#contract/study.ts";

/** The fields that the lab named with its refusal. */
export const fieldsOf = (error: unknown): readonly StudyProblem[] => {
  if (!(error instanceof Error) || !("data" in error)) return [];
  const { data } = error;
  if (typeof data !== "object" || data === null || !("fields" in data) || !Array.isArray(data.fields))
    return [];
  return data.fields as readonly StudyProblem[];
};
