import type { ForkChild, Parent } from "#contract/child.ts";
import { loadNative } from "./load-native.ts";
import { firstLine } from "./try-native.ts";

const LIMIT_MS = 20_000;

/** Why it cannot be loaded, in a few words; null where it can. */
type Verdict = { readonly why: string | null };

/**
 * `whyNotLoadable` for a program that cannot run plain scripts, such as the packaged desktop: it tries the engine in a
 * child process whose entry file calls `runEngineTrial`.
 */
export const tryInChild =
  (fork: ForkChild, entry: URL) =>
  (packageDir: string): Promise<string | undefined> =>
    new Promise((resolve) => {
      const child = fork(entry, { name: "fedfleet engine" });
      const timer = setTimeout(() => end(`loading it takes longer than ${LIMIT_MS / 1000} s`), LIMIT_MS);
      const end = (why: string | undefined) => {
        clearTimeout(timer);
        child.kill();
        resolve(why);
      };
      child.onMessage((message) => end((message as Verdict).why ?? undefined));
      child.onError((error) => end(`it could not be tried: ${error.message}`));
      child.onExit((code, signal) =>
        end(
          signal === null ? `loading it ended with exit code ${code}` : `its library crashed with ${signal}`,
        ),
      );
      child.send(packageDir);
    });

/** The child's side: tries to load one engine and reports the result. */
export const runEngineTrial = (parent: Parent): void => {
  parent.onMessage((packageDir) => {
    parent.send({ why: whyNot(packageDir as string) } satisfies Verdict);
  });
};

const whyNot = (packageDir: string): string | null => {
  try {
    loadNative(packageDir, 1);
    return null;
  } catch (error) {
    return firstLine(error);
  }
};
