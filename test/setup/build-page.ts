/** Builds the desktop and its page for the tests that start or serve them, where they are older than their sources. */
import { ensureBuilt } from "#main/hosts/ensure-built.ts";

await ensureBuilt("desktop", (line) => console.log(line));
