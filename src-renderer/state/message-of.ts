/** What went wrong, in a sentence for a person. */
export const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "AbortError") return "The connection to the lab broke before it answered. Try again.";
  if (error.message === "Internal server error")
    return "The lab ran into an internal error. Its standard error output has the details.";
  if (error.message === "Input validation failed") return invalidInputText(error);
  return error.message;
};

/** The lab checks what a page sends against the contract; its errors carry what the schema says. */
const invalidInputText = (error: Error): string => {
  const data = "data" in error ? (error.data as { readonly issues?: unknown } | undefined) : undefined;
  const issues: readonly { readonly message?: unknown }[] = Array.isArray(data?.issues) ? data.issues : [];
  const [first] = issues.flatMap(({ message }) => (typeof message === "string" ? [message] : []));
  return first === undefined
    ? "The lab could not accept these values. Check the fields and try again."
    : `The lab could not accept these values: ${first}. Check the fields and try again.`;
};
