/** One word of a command line, whatever is in it. */
export const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** A script for sh as one command line, whatever the user's login shell is. */
export const inSh = (script: string): string => `exec sh -c ${quote(script)}`;
