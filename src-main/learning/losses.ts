/**
 * Losses on logits, with their gradients, in float64. They run on plain arrays: logits are few,
 * so calls of the engine would cost more than the arithmetic, and every engine gets the same digits this way.
 *
 * Cross-entropy: mean over the batch of −log softmax(z)_y.
 * Not-true distillation (FedNTD, Lee et al., NeurIPS 2022): with the true class removed before both softmaxes,
 * beta · T · (1/B) Σ_b Σ_{c≠y} p_c (log p_c − log q_c), p from the teacher and q from the student at temperature
 * tau, T = tau² or 1.
 */

export interface Distillation {
  /** (B, C) logits of the frozen global model. */
  readonly teacher: Float32Array;
  readonly tau: number;
  readonly beta: number;
  readonly tauSquared: boolean;
}

export interface BatchLoss {
  /** Sum over the batch, in nats. */
  readonly sum: number;
  /** Samples whose largest logit is the label's. */
  readonly correct: number;
}

/** Index of the largest of C logits that begin at `offset`; the first of equals. */
export const argMax = (logits: Float32Array, offset: number, classes: number): number => {
  let best = 0;
  for (let c = 1; c < classes; c += 1) {
    if (logits[offset + c]! > logits[offset + best]!) best = c;
  }
  return best;
};

/** log Σ exp(z_c / tau) over c ≠ `without`, shifted by the maximum so that nothing overflows. */
const logSumExp = (
  z: Float32Array,
  offset: number,
  classes: number,
  tau: number,
  without: number,
): number => {
  let top = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c += 1) {
    if (c !== without && z[offset + c]! > top) top = z[offset + c]!;
  }
  let sum = 0;
  for (let c = 0; c < classes; c += 1) {
    if (c !== without) sum += Math.exp((z[offset + c]! - top) / tau);
  }
  return top / tau + Math.log(sum);
};

/** Cross-entropy of one sample in nats. */
export const crossEntropy = (logits: Float32Array, offset: number, classes: number, label: number): number =>
  logSumExp(logits, offset, classes, 1, -1) - logits[offset + label]!;

/**
 * Loss of a batch and its gradient with respect to the logits.
 * @param logits (B, C), row-major.
 * @param labels B class indices below C.
 * @param gradient (B, C), written: d(mean loss)/d(logits).
 * @param distillation leave out for plain cross-entropy; with beta 0 leave it out as well.
 */
export const batchLoss = (
  logits: Float32Array,
  labels: ArrayLike<number>,
  classes: number,
  gradient: Float32Array,
  distillation?: Distillation,
): BatchLoss => {
  const batch = labels.length;
  let sum = 0;
  let correct = 0;
  for (let b = 0, row = 0; b < batch; b += 1, row += classes) {
    const y = labels[b]!;
    if (argMax(logits, row, classes) === y) correct += 1;
    const norm = logSumExp(logits, row, classes, 1, -1);
    sum += norm - logits[row + y]!;
    for (let c = 0; c < classes; c += 1) {
      gradient[row + c] = (Math.exp(logits[row + c]! - norm) - (c === y ? 1 : 0)) / batch;
    }
    if (distillation) sum += addDistillation(logits, row, classes, y, batch, gradient, distillation);
  }
  return { sum, correct };
};

/** Adds the gradient of the not-true term of one sample; returns its loss. The true class gets none. */
const addDistillation = (
  logits: Float32Array,
  row: number,
  classes: number,
  y: number,
  batch: number,
  gradient: Float32Array,
  { teacher, tau, beta, tauSquared }: Distillation,
): number => {
  const weight = beta * (tauSquared ? tau * tau : 1);
  const studentNorm = logSumExp(logits, row, classes, tau, y);
  const teacherNorm = logSumExp(teacher, row, classes, tau, y);
  let divergence = 0;
  for (let c = 0; c < classes; c += 1) {
    if (c === y) continue;
    const logQ = logits[row + c]! / tau - studentNorm;
    const logP = teacher[row + c]! / tau - teacherNorm;
    const p = Math.exp(logP);
    divergence += p * (logP - logQ);
    gradient[row + c]! += (weight / (batch * tau)) * (Math.exp(logQ) - p);
  }
  return weight * divergence;
};
