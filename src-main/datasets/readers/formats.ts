import { cifar10Binary, cifar10Python, cifar100Binary, cifar100Python } from "./cifar.ts";
import { fashionMnist, fashionMnistSample } from "./fashion-mnist.ts";
import type { Format } from "./format.ts";

/** Every format that can be read. */
export const FORMATS: readonly Format[] = [
  cifar10Binary,
  cifar10Python,
  cifar100Binary,
  cifar100Python,
  fashionMnist,
  fashionMnistSample,
];

export const formatNamed = (name: string): Format | undefined =>
  FORMATS.find((format) => format.name === name);
