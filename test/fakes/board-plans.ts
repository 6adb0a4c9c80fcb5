import type { ProvisionPlan, StepView } from "#contract/boards.ts";

const step = (
  id: StepView["id"],
  title: string,
  text: string,
  state: StepView["state"],
  more: Partial<StepView> = {},
): StepView => ({
  id,
  title,
  text,
  state,
  commands: [],
  needsSudo: false,
  canUndo: false,
  output: [],
  ...more,
});

/** `missing`: Docker is not installed; `image`: only the image is to be made; `done`: nothing is. */
export const planOf = (kind: "missing" | "image" | "done"): ProvisionPlan => {
  const missing = kind === "missing";
  const done = (state: StepView["state"]): StepView["state"] => (kind === "done" ? "done" : state);
  return {
    ready: kind === "done",
    running: false,
    steps: [
      step(
        "docker-install",
        "Install Docker",
        missing
          ? "Docker is missing. It comes from the system's own packages, about 90 MB."
          : "Docker 26.1.3 is there.",
        missing ? "open" : "done",
        {
          needsSudo: true,
          canUndo: missing,
          commands: missing ? ["sudo apt-get update", "sudo apt-get install -y docker.io"] : [],
          ...(missing ? { consent: "Install the package docker.io with administrator rights" } : {}),
        },
      ),
      step(
        "docker-group",
        "Let lab use Docker",
        missing ? "lab is not in the group docker." : "lab is in the group docker.",
        missing ? "blocked" : "done",
        {
          needsSudo: true,
          canUndo: true,
          commands: missing ? ["sudo usermod -aG docker lab"] : [],
          ...(missing
            ? {
                consent:
                  "Add lab to the docker group. Its members can do anything on this board, as root can",
              }
            : {}),
        },
      ),
      step(
        "image",
        "Build the client image",
        "Python 3.11 with PyTorch and flwr 1.11.1, from python:3.11-slim; about 2 GB and 8 minutes.",
        done(missing ? "blocked" : "open"),
        { canUndo: true, commands: ["docker build -t fedfleet-client:arm64-9b20 -f Dockerfile.pi ."] },
      ),
      step("self-test", "Try one batch", "One training step in the container.", done("blocked"), {
        commands: ["docker run --rm --network none fedfleet-client:arm64-9b20 --self-test"],
      }),
      step("data", "Data", "The lab sends the board its part of the data when a study starts.", "not-needed"),
    ],
  };
};
