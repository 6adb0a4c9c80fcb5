import type { OptimizerSettings } from "#contract/jobs.ts";

/**
 * Updates one parameter in place.
 * @param slot which parameter it is: state such as a momentum buffer is kept per slot.
 */
export interface Optimizer {
  /** Begins a step; every slot is updated once per step. */
  begin(): void;
  update(slot: number, values: Float32Array, gradient: Float32Array): void;
}

// PyTorch's defaults for the settings that a study does not have.
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const RMSPROP = { alpha: 0.99, epsilon: 1e-8 };

type Slots = (slot: number, like: Float32Array) => Float32Array;

/** Zeroed state arrays, each made when its slot is first used. */
const createSlots = (): Slots => {
  const arrays: Float32Array[] = [];
  return (slot, like) => {
    const known = arrays[slot];
    if (known !== undefined) return known;
    const made = new Float32Array(like.length);
    arrays[slot] = made;
    return made;
  };
};

/** torch.optim.SGD. A zeroed buffer makes the first step's buffer the gradient itself, as PyTorch has it. */
const sgd = ({ lr, momentum, nesterov, weightDecay }: OptimizerSettings): Optimizer => {
  const buffers = createSlots();
  return {
    begin: () => {},
    update: (slot, values, gradient) => {
      const n = values.length;
      if (momentum === 0) {
        for (let i = 0; i < n; i += 1) {
          const w = values[i]!;
          values[i] = w - lr * (gradient[i]! + weightDecay * w);
        }
        return;
      }
      const buffer = buffers(slot, values);
      if (nesterov) {
        for (let i = 0; i < n; i += 1) {
          const w = values[i]!;
          const g = gradient[i]! + weightDecay * w;
          const b = momentum * buffer[i]! + g;
          buffer[i] = b;
          values[i] = w - lr * (g + momentum * b);
        }
        return;
      }
      for (let i = 0; i < n; i += 1) {
        const w = values[i]!;
        const b = momentum * buffer[i]! + gradient[i]! + weightDecay * w;
        buffer[i] = b;
        values[i] = w - lr * b;
      }
    },
  };
};

/** torch.optim.Adam (Kingma & Ba 2015) with L2 weight decay: epsilon is added after the root. */
const adam = ({ lr, weightDecay }: OptimizerSettings): Optimizer => {
  const { beta1, beta2, epsilon } = ADAM;
  const first = createSlots();
  const second = createSlots();
  let step = 0;
  return {
    begin: () => {
      step += 1;
    },
    update: (slot, values, gradient) => {
      const m = first(slot, values);
      const v = second(slot, values);
      const rate = lr / (1 - beta1 ** step);
      const root = Math.sqrt(1 - beta2 ** step);
      for (let i = 0; i < values.length; i += 1) {
        const w = values[i]!;
        const g = gradient[i]! + weightDecay * w;
        const mi = beta1 * m[i]! + (1 - beta1) * g;
        const vi = beta2 * v[i]! + (1 - beta2) * g * g;
        m[i] = mi;
        v[i] = vi;
        values[i] = w - (rate * mi) / (Math.sqrt(vi) / root + epsilon);
      }
    },
  };
};

/** torch.optim.RMSprop (Hinton's lecture 6e): epsilon is added after the root. */
const rmsprop = ({ lr, momentum, weightDecay }: OptimizerSettings): Optimizer => {
  const { alpha, epsilon } = RMSPROP;
  const squares = createSlots();
  const buffers = createSlots();
  return {
    begin: () => {},
    update: (slot, values, gradient) => {
      const square = squares(slot, values);
      const buffer = momentum > 0 ? buffers(slot, values) : undefined;
      for (let i = 0; i < values.length; i += 1) {
        const w = values[i]!;
        const g = gradient[i]! + weightDecay * w;
        const s = alpha * square[i]! + (1 - alpha) * g * g;
        square[i] = s;
        let change = g / (Math.sqrt(s) + epsilon);
        if (buffer) {
          change += momentum * buffer[i]!;
          buffer[i] = change;
        }
        values[i] = w - lr * change;
      }
    },
  };
};

/**
 * An optimizer as PyTorch 1.13 computes it, weight decay added to the gradient. Arithmetic is float64, state and
 * parameters float32. It works on plain arrays, which for small models is faster than calling the engine.
 */
export const createOptimizer = (settings: OptimizerSettings): Optimizer => {
  switch (settings.kind) {
    case "sgd":
      return sgd(settings);
    case "adam":
      return adam(settings);
    case "rmsprop":
      return rmsprop(settings);
  }
};

/**
 * FedProx (Li et al., MLSys 2020): adds mu · (w − w_global) to the gradient.
 * @returns the penalty's value, (mu / 2) · ‖w − w_global‖², of this parameter.
 */
export const addProximalTerm = (
  values: Float32Array,
  global: Float32Array,
  gradient: Float32Array,
  mu: number,
): number => {
  let squares = 0;
  for (let i = 0; i < values.length; i += 1) {
    const distance = values[i]! - global[i]!;
    gradient[i]! += mu * distance;
    squares += distance * distance;
  }
  return (mu / 2) * squares;
};
