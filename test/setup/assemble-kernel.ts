/**
 * Assembles src-main/federation/weighted-sum.wat and writes it into weighted-sum-wasm.ts beside it:
 * `node test/setup/assemble-kernel.ts`. A test calls `assembleKernel` and compares, so the two cannot drift apart.
 */
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const folder = new URL("../../src-main/federation/", import.meta.url);

/** The kernel's binary in base64. */
export const assembleKernel = async (): Promise<string> => {
  const tools = await wabt();
  const source = readFileSync(new URL("weighted-sum.wat", folder), "utf8");
  const module = tools.parseWat("weighted-sum.wat", source, { simd: true });
  const { buffer } = module.toBinary({});
  module.destroy();
  return Buffer.from(buffer).toString("base64");
};

if (process.argv[1] === import.meta.filename) {
  const target = new URL("weighted-sum-wasm.ts", folder);
  const lines = (await assembleKernel()).match(/.{1,100}/g)!.map((line) => `  "${line}",`);
  const text = readFileSync(target, "utf8");
  const array = /(const KERNEL = \[)[^\]]*(\])/;
  if (!array.test(text)) throw new Error(`${target.pathname} has no KERNEL to replace`);
  writeFileSync(target, text.replace(array, `$1\n${lines.join("\n")}\n$2`));
}
