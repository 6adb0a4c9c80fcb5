/**
 * Moves the keyboard to the field of a setting; a setting without a field of its own leads to the one around it.
 * @returns false where there is none
 */
export const focusField = (path: string): boolean => {
  for (let at = path; at !== ""; at = at.replace(/[.[][^.[]*$|^[^.[]*$/, "")) {
    const found = [...document.querySelectorAll<HTMLElement>("[data-path]")].find(
      (element) => element.dataset.path === at || element.dataset.path?.startsWith(`${at}.`),
    );
    if (found === undefined) continue;
    found.closest("details")?.setAttribute("open", "");
    const field = found.matches("input, select, button, p")
      ? found
      : found.querySelector<HTMLElement>("input, select");
    field?.focus();
    found.scrollIntoView({ block: "center" });
    return true;
  }
  return false;
};
