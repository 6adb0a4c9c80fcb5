/** `fedfleet COMMAND`: carries it out and ends with its exit code. */
import process from "node:process";
import { runHeadless } from "./lab/headless.ts";

process.exitCode = await runHeadless(process.argv.slice(2));
