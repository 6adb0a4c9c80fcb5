import { randomBytes } from "node:crypto";
import type { BoardFacts, ProvisionPlan, StepId, StepView } from "#contract/boards.ts";
import type { SshConnection } from "#main/boards/board-ports.ts";
import { probeBoard } from "#main/boards/probe/probe-board.ts";
import { createProvisioner } from "#main/boards/provision/provisioner.ts";
import type { BoardToSetUp, HowToProvision } from "#main/boards/provision/step.ts";
import { createSshLab } from "#test/main/boards/ssh/ssh-lab.ts";
import { type Dockerd, type DockerdOptions, startDockerd } from "#test/setup/docker.ts";
import { type SshdOptions, type SshdUser, startSshd } from "#test/setup/sshd.ts";

/** Prints what the client's own trial prints, in an image that is made in a second. */
export const TRIAL = [
  "COPY fedfleet_client /client",
  `ENTRYPOINT ["sh", "-c", "echo '{\\"event\\":\\"self-test\\",\\"torch\\":\\"9.9\\",\\"gpu\\":null,\\"threads\\":2}'"]`,
] as const;

export interface Account extends Omit<SshdUser, "name" | "password"> {
  /** The folder that its client image is built from. */
  readonly scripts: string;
  readonly dataFolder?: string;
  /** What is seen there instead of what is there: hardware that nobody has here. */
  see?(facts: BoardFacts): BoardFacts;
}

/** One machine with an engine, and an account for each board. */
export const createProvisionLab = async <Name extends string>(
  accounts: Readonly<Record<Name, Account>>,
  options: { readonly dockerd?: DockerdOptions; readonly bind?: SshdOptions["bind"] } = {},
) => {
  const dockerd: Dockerd = await startDockerd(options.dockerd);
  const names = Object.keys(accounts) as Name[];
  const password = randomBytes(9).toString("base64url");
  const sshd = await startSshd({
    users: names.map((name) => {
      const { sudo, groups } = accounts[name];
      return { password, ...(sudo && { sudo }), ...(groups && { groups }) };
    }),
    env: { DOCKER_HOST: `unix://${dockerd.socket}` },
    ...(options.bind && { bind: options.bind }),
  }).catch(async (error) => {
    await dockerd.close();
    throw error;
  });
  const ssh = createSshLab();
  await ssh.trust({ host: sshd.host, port: sshd.port, user: sshd.users[0]!.name });
  const open: SshConnection[] = [];

  const boardOf = async (name: Name) => {
    const account = sshd.users[names.indexOf(name)]!;
    const target = { host: sshd.host, port: sshd.port, user: account.name };
    const { see = (facts: BoardFacts) => facts, dataFolder, scripts } = accounts[name];
    const connect = async (): Promise<SshConnection> => {
      const connection = await ssh.ssh.connect(target, { kind: "password", password });
      open.push(connection);
      return connection;
    };
    let connection = await connect();
    let facts = see(await probeBoard(connection));
    let signIns = 1;
    const board: BoardToSetUp = {
      name,
      connection: async () => connection,
      async reconnect() {
        connection.end();
        connection = await connect();
        signIns++;
        return connection;
      },
      facts: () => facts,
      async probe() {
        facts = see(await probeBoard(connection));
        return facts;
      },
      ...(dataFolder === undefined ? {} : { dataFolder }),
    };
    const provisioner = createProvisioner({ deviceScripts: scripts, labId: "lab-of-test" });
    const told: StepView[] = [];
    const onStep = (step: StepView): void => {
      told.push(step);
    };
    const never = new AbortController().signal;
    return {
      board,
      account,
      provisioner,
      /** Every step as it was told of. */
      told,
      signIns: () => signIns,
      look: () => provisioner.look(board),
      tag: () => provisioner.imageTag(facts)!,
      async run(how: Partial<HowToProvision> = {}, signal = never): Promise<ProvisionPlan> {
        told.length = 0;
        const run = () => provisioner.run(board, { agreed: [], ...how }, { onStep, signal });
        const plan = await run();
        // Another test on this machine may just be adding an account of its own.
        const isLocked = plan.steps.some(({ problem }) => /cannot lock/.test(problem?.raw ?? ""));
        return isLocked ? await run() : plan;
      },
      undo: (step: StepId, how: Partial<HowToProvision> = {}): Promise<ProvisionPlan> =>
        provisioner.undo(board, step, { agreed: [], ...how }, { onStep, signal: never }),
    };
  };

  return {
    dockerd,
    sshd,
    password,
    boardOf,
    async close(): Promise<void> {
      for (const connection of open) connection.end();
      ssh.close();
      await sshd.close();
      await dockerd.close();
    },
  };
};

export const states = ({ steps }: ProvisionPlan): Record<string, StepView["state"]> =>
  Object.fromEntries(steps.map(({ id, state }) => [id, state]));

export const stepOf = ({ steps }: ProvisionPlan, id: StepId): StepView =>
  steps.find((step) => step.id === id)!;
