import { openStore } from "#main/store/store.ts";

/** Opens the store of the folder named on the command line, says so, and holds it until it is killed. */
openStore({ dataDir: process.argv[2]! });
process.stdout.write("open\n");
// whoever only holds a store keeps it, too, when the garbage collector comes
setInterval(() => globalThis.gc?.(), 50);
