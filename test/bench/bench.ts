/**
 * The published figures, side by side with what a user would take instead, in one run on this machine. Wants a quiet
 * machine and test/setup/install.sh. `npm run bench -- fold wire` runs some of them.
 */
import { spawnSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";

/** Each in a process of its own: none inherits another's memory, threads or garbage. */
const BENCHES = ["fold", "wire", "learning", "fleet", "event-loop", "serving", "page", "boards"] as const;

const chosen = process.argv.slice(2);
const wrong = chosen.find((name) => !(BENCHES as readonly string[]).includes(name));
if (wrong !== undefined) {
  console.error(`there is no bench ${wrong}; there are ${BENCHES.join(", ")}`);
  process.exit(2);
}
console.log(
  `${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(2)}, Node ${process.version}`,
);
let failed = false;
for (const name of chosen.length > 0 ? chosen : BENCHES) {
  console.log(`\n${name}`);
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  failed = spawnSync(process.execPath, [file], { stdio: "inherit" }).status !== 0 || failed;
}
process.exitCode = failed ? 1 : 0;
