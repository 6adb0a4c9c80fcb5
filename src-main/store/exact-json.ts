/**
 * JSON that gives back every JavaScript number bit for bit. Plain JSON turns NaN and the infinities into null and
 * -0 into 0; a run that diverged has such losses, and its record must say so. They are written as strings that
 * begin with U+0000, and a string that begins so by itself gets one more.
 */
const MARK = "\u0000";

export const toExactJson = (value: unknown): string =>
  JSON.stringify(value, (_key, v: unknown) => {
    if (typeof v === "number" && (!Number.isFinite(v) || Object.is(v, -0))) {
      return `${MARK}${Object.is(v, -0) ? "-0" : v}`;
    }
    return typeof v === "string" && v.startsWith(MARK) ? MARK + v : v;
  });

/** The value that toExactJson was given, without what JSON has no word for (undefined, functions). */
export const fromExactJson = (text: string): unknown =>
  // the mark is always written as an escape: without one there is nothing to translate
  text.includes("\\u0000")
    ? JSON.parse(text, (_key, v: unknown) => {
        if (typeof v !== "string" || !v.startsWith(MARK)) return v;
        return v.startsWith(MARK + MARK) ? v.slice(1) : Number(v.slice(1));
      })
    : JSON.parse(text);
