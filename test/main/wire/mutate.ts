/** Seeded mutations of byte strings, as fuzzers make them. */
export interface Mutator {
  /** The next number in 0 … n−1. */
  below(n: number): number;
  /** A changed copy of one of the samples. */
  mutate(samples: readonly Uint8Array[]): Uint8Array;
}

const INTERESTING = [
  0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x27, 0x28, 0x2c, 0x7b, 0x7d,
];

export const createMutator = (seed: number): Mutator => {
  // mulberry32
  let state = seed >>> 0;
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };

  const step = (bytes: Buffer, samples: readonly Uint8Array[]): Buffer => {
    const at = below(bytes.length + 1);
    const length = below(1 + Math.min(64, bytes.length));
    const changed = Buffer.from(bytes);
    switch (below(9)) {
      case 0:
        if (bytes.length > 0) changed[at % bytes.length]! ^= 1 << below(8);
        return changed;
      case 1:
        if (bytes.length > 0) changed[at % bytes.length] = INTERESTING[below(INTERESTING.length)]!;
        return changed;
      case 2:
        return Buffer.concat([bytes.subarray(0, at), Buffer.from([below(256)]), bytes.subarray(at)]);
      case 3:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
      case 4:
        return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
      case 5:
        return bytes.subarray(0, at);
      case 6: {
        const other = samples[below(samples.length)]!;
        return Buffer.concat([bytes.subarray(0, at), other.subarray(below(other.length + 1))]);
      }
      case 7:
        // A number of up to ten bytes where there was one of one.
        return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(below(11), 0xff), bytes.subarray(at + 1)]);
      default: {
        // Digits and punctuation, for the text of npy headers.
        const text = "0123456789,()'{}L -[]OVUS<>|=".slice(below(20));
        changed.write(text.slice(0, 1 + below(4)), Math.min(at, Math.max(0, bytes.length - 1)), "latin1");
        return changed;
      }
    }
  };

  return {
    below,
    mutate: (samples) => {
      let bytes: Buffer = Buffer.from(samples[below(samples.length)]!);
      for (let i = 1 + below(6); i > 0; i--) bytes = step(bytes, samples);
      return new Uint8Array(bytes);
    },
  };
};
