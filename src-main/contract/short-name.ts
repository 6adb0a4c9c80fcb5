/** Characters of a name that a sentence or a chart shows. */
const SHOWN = 40;
/** As many of them at the end: names of copies differ there ("-2", "-3"). */
const AT_END = 10;

/** A name that fits; the middle of a longer one is left out. */
export const shortName = (name: string, most = SHOWN): string => {
  const letters = [...name];
  return letters.length <= most
    ? name
    : `${letters
        .slice(0, most - AT_END - 1)
        .join("")
        .trimEnd()}…${letters.slice(-AT_END).join("").trimStart()}`;
};
