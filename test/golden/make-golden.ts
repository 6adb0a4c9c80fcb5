/** Makes the golden files anew, each with the interpreter that its script wants. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pythonOf } from "#test/setup/flwr.ts";

for (const [python, script] of [
  [pythonOf("1.11.1"), "make_federation_golden.py"],
  ["/usr/bin/python3", "make_learning_golden.py"],
  ["/usr/bin/python3", "make_npy_golden.py"],
] as const) {
  const { status } = spawnSync(python, [join(import.meta.dirname, script)], { stdio: "inherit" });
  if (status !== 0) {
    console.error(`${script} failed; test/setup/install.sh installs what it needs`);
    process.exit(1);
  }
}
