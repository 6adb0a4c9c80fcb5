import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openLab } from "#main/lab/open-lab.ts";
import { openServedLab } from "#main/lab/serve.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { openStore } from "#main/store/store.ts";
import { temporaryFolder } from "#test/main/store/samples.ts";

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

test("a lab that cannot say where it is served is not served: its port and its directory are free again", async () => {
  const folder = temporaryFolder();
  const nowhere = new URL("nowhere.ts", import.meta.url);
  // A file cannot be put where a folder is.
  mkdirSync(join(folder.path, "serving.json", "in-the-way"), { recursive: true });
  const lab = openLab({
    dataDir: folder.path,
    resourcesDir: fileURLToPath(new URL("../../../resources/", import.meta.url)),
    fork: forkNode,
    entries: { device: nowhere, evaluation: nowhere, data: nowhere, report: nowhere },
  });
  const port = await freePort();
  await expect(openServedLab(lab, { port, rendererDir: folder.path, version: "0" })).rejects.toThrow(
    /serving/,
  );
  const again = createServer().listen(port, "127.0.0.1");
  await once(again, "listening");
  again.close();
  openStore({ dataDir: folder.path }).close();
  folder.remove();
});
