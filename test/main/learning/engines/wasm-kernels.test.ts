import { createRequire } from "node:module";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { createComposedOps } from "#main/learning/engines/composed-ops.ts";
import { loadWasm } from "#main/learning/engines/load-wasm.ts";
import type { Ops, Tf, TfTensor } from "#main/learning/engines/ops.ts";

/** tfjs's plain JavaScript backend is what the composed kernels are measured against. */
let tf: Tf;
let ops: Ops;
beforeAll(async () => {
  ({ tf } = await loadWasm());
  tf.env().set("IS_TEST", true); // the plain backend would advertise the native one
  createRequire(import.meta.url)("@tensorflow/tfjs-backend-cpu");
  ops = createComposedOps(tf);
});

type Values = { readonly shape: readonly number[]; readonly data: Float32Array };

const on = async (
  backend: "wasm" | "cpu",
  inputs: readonly Values[],
  compute: (...tensors: TfTensor[]) => TfTensor,
): Promise<Float32Array> => {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const tensors = inputs.map(({ shape, data }) => tf.tensor(data.slice(), shape as number[], "float32"));
    return compute(...tensors)
      .dataSync<"float32">()
      .slice();
  }) as unknown as Float32Array;
};

const values = (shape: readonly number[], seed: number): Values => {
  const size = shape.reduce((a, b) => a * b, 1);
  let state = seed | 1;
  const data = Float32Array.from({ length: size }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return (state >>> 8) / 2 ** 23 - 1;
  });
  return { shape, data };
};

const expectClose = (actual: Float32Array, expected: Float32Array): void => {
  expect(actual.length).toBe(expected.length);
  const worst = expected.reduce(
    (w, v, i) => Math.max(w, Math.abs(v - actual[i]!) / Math.max(1, Math.abs(v))),
    0,
  );
  expect(worst).toBeLessThan(1e-5);
};

const geometry = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 3, max: 9 }),
    width: fc.integer({ min: 3, max: 9 }),
    input: fc.integer({ min: 1, max: 4 }),
    output: fc.integer({ min: 1, max: 5 }),
    size: fc.constantFrom(1, 2, 3, 5),
    stride: fc.integer({ min: 1, max: 3 }),
    pad: fc.integer({ min: 0, max: 2 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .filter((g) => g.pad < g.size && Math.min(g.height, g.width) + 2 * g.pad >= g.size);

test("the filter gradient equals the cpu backend's for any stride and padding", async () => {
  await fc.assert(
    fc.asyncProperty(geometry, async (g) => {
      const outHeight = Math.floor((g.height + 2 * g.pad - g.size) / g.stride) + 1;
      const outWidth = Math.floor((g.width + 2 * g.pad - g.size) / g.stride) + 1;
      const inputs = [
        values([g.batch, g.height, g.width, g.input], g.seed),
        values([g.batch, outHeight, outWidth, g.output], g.seed + 1),
      ];
      const compute = (x: TfTensor, dy: TfTensor) =>
        ops.conv2dFilterGrad(x, [g.size, g.size, g.input, g.output], dy, g);
      expectClose(await on("wasm", inputs, compute as never), await on("cpu", inputs, compute as never));
    }),
    { numRuns: 60 },
  );
});

test("the input gradient equals the cpu backend's for any stride and padding", async () => {
  await fc.assert(
    fc.asyncProperty(geometry, async (g) => {
      const outHeight = Math.floor((g.height + 2 * g.pad - g.size) / g.stride) + 1;
      const outWidth = Math.floor((g.width + 2 * g.pad - g.size) / g.stride) + 1;
      const inputs = [
        values([g.size, g.size, g.input, g.output], g.seed),
        values([g.batch, outHeight, outWidth, g.output], g.seed + 1),
      ];
      const compute = (filter: TfTensor, dy: TfTensor) =>
        ops.conv2dInputGrad([g.batch, g.height, g.width, g.input], filter, dy, g);
      expectClose(await on("wasm", inputs, compute as never), await on("cpu", inputs, compute as never));
    }),
    { numRuns: 60 },
  );
});

test("the pooling gradient equals the cpu backend's, with negative pictures too", async () => {
  const poolInput = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 3, max: 9 }),
    width: fc.integer({ min: 3, max: 9 }),
    size: fc.constantFrom(2, 3),
    channels: fc.integer({ min: 1, max: 4 }),
    shift: fc.constantFrom(-3, 0, 3),
    seed: fc.integer({ min: 1, max: 1e6 }),
  });
  await fc.assert(
    fc.asyncProperty(poolInput, async ({ batch, height, width, size, channels, shift, seed }) => {
      const x = values([batch, height, width, channels], seed);
      for (let i = 0; i < x.data.length; i += 1) x.data[i]! += shift;
      const inputs = [
        x,
        values([batch, Math.floor(height / size), Math.floor(width / size), channels], seed + 1),
      ];
      const compute = (a: TfTensor, dy: TfTensor) => ops.maxPoolGrad(a, ops.maxPool(a, size), dy, size);
      expectClose(await on("wasm", inputs, compute as never), await on("cpu", inputs, compute as never));
    }),
    { numRuns: 40 },
  );
});

test("the first of equal elements takes the whole gradient", async () => {
  const inputs = [
    { shape: [1, 2, 2, 1], data: Float32Array.of(-1, 5, 5, 2) },
    { shape: [1, 1, 1, 1], data: Float32Array.of(7) },
  ];
  const compute = (a: TfTensor, dy: TfTensor) => ops.maxPoolGrad(a, ops.maxPool(a, 2), dy, 2);
  expect([...(await on("wasm", inputs, compute as never))]).toEqual([0, 7, 0, 0]);
});

test("starting the backend leaves the process's exception handlers alone", () => {
  const foreign = process.listeners("uncaughtException").filter((l) => /throw ex/.test(l.toString()));
  expect(foreign).toEqual([]);
});
