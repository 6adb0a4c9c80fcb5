import { existsSync } from "node:fs";
import type { SignIn } from "#contract/boards.ts";
import { openAgent } from "./agent.ts";
import { readIfOpen, readKeyFile } from "./key-file.ts";
import type { LabKey } from "./lab-key.ts";
import type { Proof } from "./open-client.ts";
import type { ConfiguredHop, UserConfig } from "./user-config.ts";

export interface ProofDeps {
  readonly agentSocket: string | undefined;
  readonly labKey: Pick<LabKey, "privateKey" | "exists">;
}

/** What is offered for signing in: the chosen way only, never anything else. */
export const proofsFor = async (signIn: SignIn, username: string, deps: ProofDeps): Promise<Proof[]> => {
  switch (signIn.kind) {
    case "password": {
      const { password } = signIn;
      return [
        { type: "keyboard-interactive", username, password },
        { type: "password", username, password },
      ];
    }
    case "key":
      return [{ type: "publickey", username, key: await readKeyFile(signIn.path, signIn.passphrase) }];
    case "agent":
      return [{ type: "agent", username, agent: await openAgent(deps.agentSocket) }];
    case "lab-key":
      return [{ type: "publickey", username, key: await deps.labKey.privateKey() }];
  }
};

/** For a host on the way, every key that needs no question: its own keys, the agent, the usual keys, the lab's. */
export const jumpProofs = async (
  hop: ConfiguredHop,
  deps: ProofDeps & { readonly config: Pick<UserConfig, "defaultKeys"> },
): Promise<Proof[]> => {
  const username = hop.user;
  const fromFiles = async (files: readonly string[]): Promise<Proof[]> => {
    const proofs: Proof[] = [];
    for (const file of files) {
      if (!existsSync(file)) continue;
      const key = await readIfOpen(file);
      if (key !== undefined) proofs.push({ type: "publickey", username, key });
    }
    return proofs;
  };
  const agent: Proof[] = await openAgent(deps.agentSocket).then(
    (opened) => [{ type: "agent", username, agent: opened }],
    () => [],
  );
  const usual = deps.config.defaultKeys.filter((file) => !hop.identityFiles.includes(file));
  const lab: Proof[] = (await deps.labKey.exists())
    ? [{ type: "publickey", username, key: await deps.labKey.privateKey() }]
    : [];
  return [...(await fromFiles(hop.identityFiles)), ...agent, ...(await fromFiles(usual)), ...lab];
};
