/** `fedfleet COMMAND`: runs it and ends with its exit code. It holds no logic. */
import process from "node:process";
import { runHeadless } from "./lab/headless.ts";

process.exitCode = await runHeadless(process.argv.slice(2));
