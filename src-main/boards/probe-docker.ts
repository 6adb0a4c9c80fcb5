import { get } from "node:http";

const TIMEOUT_MS = 2000;

/**
 * Asks this computer's Docker Engine for its version over its unix socket (`DOCKER_HOST` is respected when it
 * names one). Never rejects: a missing engine is an answer, too.
 */
export const probeDocker = (
  dockerHost: string | undefined,
): Promise<{ ok: true; version: string } | { ok: false; reason: string }> =>
  new Promise((resolve) => {
    const socketPath = dockerHost?.startsWith("unix://")
      ? dockerHost.slice("unix://".length)
      : "/var/run/docker.sock";
    const request = get({ socketPath, path: "/version", timeout: TIMEOUT_MS }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve(readVersion(body)));
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    request.on("error", (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === "ENOENT"
          ? `no Docker Engine listens on ${socketPath}`
          : error.code === "EACCES"
            ? `this user may not use ${socketPath}; add it to the docker group`
            : error.message;
      resolve({ ok: false, reason });
    });
  });

const readVersion = (body: string): { ok: true; version: string } | { ok: false; reason: string } => {
  try {
    const { Version } = JSON.parse(body) as { Version?: unknown };
    if (typeof Version === "string") return { ok: true, version: Version };
  } catch {
    // Falls through: something else listens there.
  }
  return { ok: false, reason: "what listens on the Docker socket does not answer like a Docker Engine" };
};
