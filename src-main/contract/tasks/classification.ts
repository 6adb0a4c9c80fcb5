import type { TaskDefinition } from "./task.ts";

export const classification = {
  name: "classification",
  title: "Image classification",
  about:
    "Each image has one class; a model is judged by how many of the test images it classifies correctly.",
  data: "labelled-images",
  models: ["Net", "FedAvgNet", "ResNet8", "ResNet18"],
  partitions: ["iid", "shards", "dirichlet", "class-skew"],
  metrics: ["accuracy", "loss"],
} as const satisfies TaskDefinition;
