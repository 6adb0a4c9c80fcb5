import { randomInt } from "node:crypto";

/** Without vowels no words, without 0 1 l o no doubt when read aloud. */
const LETTERS = "23456789bcdfghjkmnpqrstvwxz";

/**
 * A short name such as `s-7k3f9q`, drawn until it is free (27⁶ is 387 million).
 * @param isTaken whether a record already has the name
 */
export const newId = (prefix: "s" | "r", isTaken: (id: string) => boolean): string => {
  for (;;) {
    const id = `${prefix}-${Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join("")}`;
    if (!isTaken(id)) return id;
  }
};
