import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchLoss, crossEntropy, type Distillation } from "#main/learning/losses.ts";

/** z, g and y of the worked example whose values PyTorch gave. */
const Z = Float32Array.of(2, 1, 0, -1);
const G = Float32Array.of(0.5, 1.5, -0.5, 1);
const CE = 1.4401896985611953;

const lossOf = (distillation?: Omit<Distillation, "teacher">): number =>
  batchLoss(Z, Uint8Array.of(1), 4, new Float32Array(4), distillation && { teacher: G, ...distillation }).sum;

describe("values that PyTorch gives", () => {
  test("cross-entropy", () => {
    expect(crossEntropy(Z, 0, 4, 1)).toBeCloseTo(CE, 12);
    expect(lossOf()).toBeCloseTo(CE, 12);
  });
  test.each([
    [1, true, 1.100589921960915],
    [3, false, 0.12600325515174035],
    [3, true, 1.134029296365663],
  ])("not-true term with tau %d, tau squared %s", (tau, tauSquared, expected) => {
    expect(lossOf({ tau, beta: 1, tauSquared }) - CE).toBeCloseTo(expected, 10);
    expect(lossOf({ tau, beta: 0.25, tauSquared }) - CE).toBeCloseTo(expected / 4, 10);
  });
});

const problem = fc.integer({ min: 2, max: 12 }).chain((classes) =>
  fc.integer({ min: 1, max: 5 }).chain((batch) => {
    const logits = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), {
      minLength: batch * classes,
      maxLength: batch * classes,
    });
    return fc.record({
      classes: fc.constant(classes),
      student: logits,
      teacher: logits,
      labels: fc.array(fc.integer({ min: 0, max: classes - 1 }), { minLength: batch, maxLength: batch }),
      tau: fc.double({ min: 0.5, max: 5, noNaN: true }),
      beta: fc.double({ min: 0.01, max: 2, noNaN: true }),
      tauSquared: fc.boolean(),
    });
  }),
);

test("the not-true term gives the true class no gradient, and the others weight · (q − p) / (B tau)", () => {
  fc.assert(
    fc.property(problem, ({ classes, student, teacher, labels, tau, beta, tauSquared }) => {
      const z = Float32Array.from(student);
      const y = Uint8Array.from(labels);
      const plain = new Float32Array(z.length);
      const whole = new Float32Array(z.length);
      batchLoss(z, y, classes, plain);
      batchLoss(z, y, classes, whole, { teacher: Float32Array.from(teacher), tau, beta, tauSquared });
      labels.forEach((label, b) => {
        const others = [...Array(classes).keys()].filter((c) => c !== label);
        const softmax = (values: ArrayLike<number>) => {
          const top = Math.max(...others.map((c) => values[b * classes + c]!));
          const e = others.map((c) => Math.exp((values[b * classes + c]! - top) / tau));
          const sum = e.reduce((s, v) => s + v, 0);
          return e.map((v) => v / sum);
        };
        const q = softmax(z);
        const p = softmax(Float32Array.from(teacher));
        const weight = (beta * (tauSquared ? tau * tau : 1)) / (labels.length * tau);
        expect(whole[b * classes + label]).toBe(plain[b * classes + label]);
        others.forEach((c, i) => {
          const term = whole[b * classes + c]! - plain[b * classes + c]!;
          expect(term).toBeCloseTo(weight * (q[i]! - p[i]!), 5);
        });
      });
    }),
    { numRuns: 200 },
  );
});

test("the gradient is the derivative of the loss", () => {
  fc.assert(
    fc.property(problem, ({ classes, student, teacher, labels, tau, beta, tauSquared }) => {
      const y = Uint8Array.from(labels);
      const distillation = { teacher: Float32Array.from(teacher), tau, beta, tauSquared };
      const z = Float32Array.from(student, (v) => v / 4);
      const gradient = new Float32Array(z.length);
      batchLoss(z, y, classes, gradient, distillation);
      const scratch = new Float32Array(z.length);
      z.forEach((value, i) => {
        // Steps of a power of two are exact in float32 at this size of values.
        const step = 2 ** -9;
        const at = (v: number) => {
          const moved = z.slice();
          moved[i] = v;
          return batchLoss(moved, y, classes, scratch, distillation).sum / labels.length;
        };
        const upper = Math.fround(value + step);
        const lower = Math.fround(value - step);
        const slope = (at(upper) - at(lower)) / (upper - lower);
        expect(Math.abs(gradient[i]! - slope)).toBeLessThan(1e-4 + 1e-3 * Math.abs(slope));
      });
    }),
    { numRuns: 60 },
  );
});

test("two classes leave nothing to distil, and extreme logits stay finite", () => {
  const gradient = new Float32Array(2);
  const teacher = Float32Array.of(-50, 50);
  const plain = batchLoss(Float32Array.of(1, 3), Uint8Array.of(0), 2, new Float32Array(2)).sum;
  const distillation = { teacher, tau: 1, beta: 1, tauSquared: true };
  expect(batchLoss(Float32Array.of(1, 3), Uint8Array.of(0), 2, gradient, distillation).sum).toBe(plain);

  const far = Float32Array.of(1e30, -1e30, 0);
  const extreme = new Float32Array(3);
  const { sum } = batchLoss(far, Uint8Array.of(0), 3, extreme, { ...distillation, teacher: far });
  expect(Number.isFinite(sum)).toBe(true);
  expect([...extreme].every(Number.isFinite)).toBe(true);
});

test("counts right answers; the first of equal logits is the answer", () => {
  const logits = Float32Array.of(1, 1, 0, /**/ 0, 2, 2);
  expect(batchLoss(logits, Uint8Array.of(0, 2), 3, new Float32Array(6)).correct).toBe(1);
});
