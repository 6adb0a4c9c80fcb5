import type { Dataset, DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import { FORMATS, formatNamed } from "./readers/formats.ts";
import { openSource } from "./source.ts";

/**
 * Reads a data set into memory and checks it: sizes, counts, magic numbers, label ranges, class balance.
 *
 * @returns pictures as uint8 (N, 32, 32, channels), row-major; grey sets have one channel
 * @throws UserError that names the file, what was expected, what was found and what to do
 */
export const loadDataset = async (location: DatasetLocation): Promise<Dataset> => {
  const format = formatNamed(location.format);
  if (!format) {
    const known = FORMATS.map((f) => f.name).join(", ");
    throw new UserError(
      `dataset: ${location.name}: the format ${JSON.stringify(location.format)} is unknown to this version (known: ${known}). Register the data set again.`,
    );
  }
  return { name: location.name, ...(await format.read(await openSource(location.path))) };
};
