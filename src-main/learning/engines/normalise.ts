import type { Ops, Tf, TfTensor } from "./ops.ts";

/** eps of PyTorch's F.normalize. */
const SHORTEST = 1e-12;

/** Row by row of (N, D): `write` gets the row's length and where the row begins and ends. */
const forEachRow = (
  values: Float32Array,
  width: number,
  write: (length: number, from: number, to: number) => void,
): void => {
  for (let from = 0; from < values.length; from += width) {
    let squares = 0;
    for (let i = from; i < from + width; i += 1) squares += values[i]! * values[i]!;
    write(Math.sqrt(squares), from, from + width);
  }
};

/**
 * Rows brought to length 1, for every engine: on plain arrays in float64, because a batch of features is small and
 * every engine then gets the same digits from the same feature.
 */
export const createRowNormalisation = (tf: Tf): Pick<Ops, "l2Normalise" | "l2NormaliseGrad"> => {
  const likeInput = (x: TfTensor, values: Float32Array) =>
    tf.tensor(values, x.shape as [number, number], "float32");
  return {
    l2Normalise: (x) => {
      const values = x.dataSync<"float32">();
      const y = new Float32Array(values.length);
      forEachRow(values, x.shape[1]!, (length, from, to) => {
        const divisor = Math.max(length, SHORTEST);
        for (let i = from; i < to; i += 1) y[i] = values[i]! / divisor;
      });
      return likeInput(x, y);
    },
    // With y = x / ‖x‖: dx = (dy − y (y · dy)) / ‖x‖. Below the shortest length the divisor is a constant.
    l2NormaliseGrad: (x, dy) => {
      const values = x.dataSync<"float32">();
      const given = dy.dataSync<"float32">();
      const dx = new Float32Array(values.length);
      forEachRow(values, x.shape[1]!, (length, from, to) => {
        const divisor = Math.max(length, SHORTEST);
        let along = 0;
        if (length >= SHORTEST) {
          for (let i = from; i < to; i += 1) along += (values[i]! / divisor) * given[i]!;
        }
        for (let i = from; i < to; i += 1) dx[i] = (given[i]! - (values[i]! / divisor) * along) / divisor;
      });
      return likeInput(x, dx);
    },
  };
};
