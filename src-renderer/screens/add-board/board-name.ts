const STEM_LENGTH = 36;

/** "kitchen.local" → "kitchen"; an address becomes "board-10-0-0-7". With another letter if the name is taken. */
export const suggestedBoardName = (host: string, taken: readonly string[]): string => {
  const bare = host.trim().replace(/^\[|\]$/g, "");
  const isAddress = /^[\d.]+$/.test(bare) || bare.includes(":");
  const stem =
    (isAddress ? `board-${bare}` : (bare.split(".")[0] ?? ""))
      .replace(/[^a-z0-9]+/gi, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, STEM_LENGTH)
      .replace(/-+$/, "")
      .toLowerCase() || "board";
  const used = new Set(taken.map((name) => name.toLowerCase()));
  // a letter: a number at the end would look like one of a group's devices
  const free = ["", ..."bcdefghijklmnopqrstuvwxyz".split("").map((letter) => `-${letter}`)].find(
    (ending) => !used.has(`${stem}${ending}`),
  );
  return `${stem}${free ?? `-${used.size}x`}`;
};

/** What is wrong with a name that was typed. @param taken names of other devices */
export const boardNameProblem = (name: string, taken: readonly string[]): string | undefined => {
  const trimmed = name.trim();
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/i.test(trimmed))
    return "Use up to 41 letters, digits or dashes; the name cannot start with a dash.";
  return taken.some((other) => other.toLowerCase() === trimmed.toLowerCase())
    ? `A device named ${trimmed} already exists. Choose another name.`
    : undefined;
};
