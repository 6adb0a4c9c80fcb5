/** Builds the page for the tests that serve it, where it is older than its sources. */
import { ensureBuilt } from "#main/build-page.ts";

await ensureBuilt("page", (line) => console.log(line));
