import { fashionMnist, fashionMnistSample } from "./fashion-mnist.ts";
import type { Format } from "./format.ts";

/** Every format that can be read, in the order in which an unknown folder is compared with them. */
export const FORMATS: readonly Format[] = [fashionMnist, fashionMnistSample];

export const formatNamed = (name: string): Format | undefined =>
  FORMATS.find((format) => format.name === name);
