import { describe, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { MODEL_NAMES, type ModelName } from "#contract/jobs.ts";
import { byteLength, elementCount, toFloat32Array } from "#contract/tensor.ts";
import { parametersOf } from "#main/learning/models/definition.ts";
import { initialWeights, modelDefinition, modelParameters } from "#main/learning/models/models.ts";
import { readState, writeState } from "#main/learning/state.ts";

/** entries, trainable elements for 10 and for 100 classes, float buffer elements, counters, bytes for 10 classes. */
const FACTS: Record<ModelName, readonly [number, number, number, number, number, number]> = {
  Net: [10, 62_006, 77_612, 0, 0, 248_024],
  FedAvgNet: [8, 2_156_490, 2_202_660, 0, 0, 8_625_960],
  ResNet8: [56, 78_042, 83_892, 672, 9, 314_928],
  ResNet18: [122, 11_173_962, 11_220_132, 9_600, 20, 44_734_408],
};

describe.each(MODEL_NAMES)("%s", (name) => {
  const [entries, ten, hundred, buffers, counters, bytes] = FACTS[name];
  const count = (classes: number, kind: "trainable" | "buffer") =>
    modelParameters(name, classes)
      .filter((p) => p.kind === kind && p.dtype === "float32")
      .reduce((n, p) => n + elementCount(p.shape), 0);

  test("has PyTorch's number of entries, parameters and bytes", () => {
    const parameters = modelParameters(name, 10);
    expect(parameters).toHaveLength(entries);
    expect(count(10, "trainable")).toBe(ten);
    expect(count(100, "trainable")).toBe(hundred);
    expect(count(10, "buffer")).toBe(buffers);
    expect(parameters.filter((p) => p.dtype === "int64").every((p) => p.shape.length === 0)).toBe(true);
    expect(parameters.filter((p) => p.dtype === "int64")).toHaveLength(counters);
    expect(parameters.reduce((n, p) => n + byteLength(p.dtype, p.shape), 0)).toBe(bytes);
  });

  test("initial weights follow PyTorch's distributions and the seed", () => {
    const weights = initialWeights(name, 10, 5);
    expect(weights.map((w) => w.name)).toEqual(modelParameters(name, 10).map((p) => p.name));
    for (const [i, tensor] of weights.entries()) {
      const { initialisation } = parametersOf(modelDefinition(name), 10)[i]!;
      if (tensor.dtype === "int64") {
        expect([...tensor.bytes]).toEqual(Array(8).fill(0));
        continue;
      }
      const values = toFloat32Array(tensor);
      const n = values.length;
      const mean = values.reduce((a, b) => a + b, 0) / n;
      const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / n);
      if (initialisation.kind === "constant") {
        expect(values.every((v) => v === initialisation.value)).toBe(true);
      } else if (initialisation.kind === "uniform") {
        const { bound } = initialisation;
        expect(values.every((v) => Math.abs(v) <= Math.fround(bound))).toBe(true);
        if (n > 1000) expect(Math.abs(deviation / (bound / Math.sqrt(3)) - 1)).toBeLessThan(0.1);
      } else {
        expect(Math.abs(deviation / initialisation.std - 1)).toBeLessThan(n > 1000 ? 0.08 : 0.25);
        expect(Math.abs(mean)).toBeLessThan((5 * initialisation.std) / Math.sqrt(n));
      }
    }
    const again = initialWeights(name, 10, 5);
    expect(again.every((w, i) => Buffer.compare(w.bytes, weights[i]!.bytes) === 0)).toBe(true);
    const other = initialWeights(name, 10, 6);
    expect(Buffer.compare(other[0]!.bytes, weights[0]!.bytes)).not.toBe(0);
  });

  test("weights go into the engine's layout and back without a changed bit", () => {
    const weights = initialWeights(name, 10, 1);
    const back = writeState(readState(modelDefinition(name), 10, weights));
    back.forEach((tensor, i) => {
      expect(tensor.shape).toEqual(weights[i]!.shape);
      expect(Buffer.compare(tensor.bytes, weights[i]!.bytes)).toBe(0);
    });
  });
});

test("PyTorch's bounds of two layers", () => {
  const bound = (name: string) => {
    const parameter = parametersOf(modelDefinition("Net"), 10).find((p) => p.name === name)!;
    return parameter.initialisation.kind === "uniform" ? parameter.initialisation.bound : Number.NaN;
  };
  expect(bound("conv1.weight")).toBeCloseTo(0.11547, 5);
  expect(bound("fc1.bias")).toBe(0.05);
});

test("weights at any byte offset are read", () => {
  const weights = initialWeights("Net", 10, 1);
  const odd = weights.map((tensor) => {
    const moved = new Uint8Array(tensor.bytes.length + 1);
    moved.set(tensor.bytes, 1);
    return { ...tensor, bytes: moved.subarray(1) };
  });
  const back = writeState(readState(modelDefinition("Net"), 10, odd));
  expect(back.every((t, i) => Buffer.compare(t.bytes, weights[i]!.bytes) === 0)).toBe(true);
});

test("foreign weights are refused by name, shape and count", () => {
  const net = modelDefinition("Net");
  const weights = initialWeights("Net", 10, 1);
  expect(() => readState(net, 10, weights.slice(1))).toThrow(UserError);
  expect(() => readState(net, 100, weights)).toThrow(
    /fc2\.weight, float32 \(120, 120\).*float32 \(84, 120\)/,
  );
  const renamed = weights.map((w, i) => (i === 3 ? { ...w, name: "conv9.bias" } : w));
  expect(() => readState(net, 10, renamed)).toThrow(/tensor 3 must be conv2\.bias.*conv9\.bias/);
  expect(() => modelDefinition("VGG")).toThrow(/no model "VGG"; use one of Net/);
});
