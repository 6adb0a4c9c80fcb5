/** weighted-sum.wat, assembled. The text between the brackets is written by test/setup/assemble-kernel.ts. */

/** What weighted-sum.wat exports; all pointers are byte offsets into the memory. */
export interface Kernel {
  peak(source: number, elements: number): number;
  fold(
    source: number,
    first: number,
    second: number,
    third: number,
    elements: number,
    weight: number,
    c: number,
    r: number,
    flag: number,
    spill: number,
  ): number;
  mean(first: number, second: number, elements: number, total: number, out: number): void;
}

/** The part of the WebAssembly interface that is used here: the language's own library has no types for it. */
interface WebAssemblyInterface {
  readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

const PAGE = 65_536;

/** The binary in base64. */
export const kernelBase64 = (): string => KERNEL.join("");

/**
 * A kernel with a memory of its own.
 * @param bytes size of the memory. @throws RangeError beyond 4 GiB.
 */
export const instantiateKernel = (bytes: number): { kernel: Kernel; memory: ArrayBuffer } => {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyInterface };
  const binary = Uint8Array.from(atob(kernelBase64()), (character) => character.charCodeAt(0));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), { host: { memory } });
  return { kernel: instance.exports as Kernel, memory: memory.buffer };
};

// biome-ignore format: one line per hundred characters
const KERNEL = [
  "AGFzbQEAAAABHQNgAn9/AX9gCn9/f39/fH9/f38Bf2AFf39/fH8AAhABBGhvc3QGbWVtb3J5AgABAwUEAAEBAgcWAwRwZWFrAAAE",
  "Zm9sZAABBG1lYW4AAwrjBgSNAQIBfwJ7Qf////8H/REhBCAAIAFBAnRqIQICQANAIAAgAk8NASADIAD9AAQAIAT9TiAA/QAEECAE",
  "/U79uAH9uAEhAyAAQSBqIQAMAAsLIAMgAyAD/Q0ICQoLDA0ODwABAgMEBQYH/bgBIQMgAyADIAP9DQQFBgcAAQIDDA0ODwgJCgv9",
  "uAEhAyAD/RsAC4oCAgJ/BntB/////wf9ESEOIAb9ESEPIAf9ESEQIAX9FCERAkADQCAKIARPDQEgAP0ABAAhDCAA/QAEECENIAwg",
  "Dv1OIA/9sQEgEP07IA0gDv1OIA/9sQEgEP07/VD9UwRAIAAgASACIAMgCiAFIAYgByAIIAkQAiELIAtBAE4EQCALDwsFIAEgAf0A",
  "BAAgESAM/V/98gH98AH9CwQAIAEgAf0ABBAgESAA/V0DCP1f/fIB/fAB/QsEECABIAH9AAQgIBEgDf1f/fIB/fAB/QsEICABIAH9",
  "AAQwIBEgAP1dAxj9X/3yAf3wAf0LBDALIABBIGohACABQcAAaiEBIApBCGohCgwACwtBfwvQAgIDfwR8IAIgBEEDdGohAiADIARB",
  "A3RqIQMgBEEIaiEKA0AgACgCAEH/////B3EhDCAFIAAqAgC7oiENAkAgDEUNACAMIAZrIAdMBEAgASABKwMAIA2gOQMADAELIAxB",
  "gICA/AdPBEAgBA8LIAIrAwAhDiAOIA2gIQ8gDyAOoSEQIA4gDyAQoaEgDSAQoaAhDSACIA85AwAgCCAILQAAQQFyOgAAIA1EAAAA",
  "AAAAAABhDQAgAysDACEOIA4gDaAhDyAPIA6hIRAgDiAPIBChoSANIBChoCENIAMgDzkDACAIIAgtAABBA3I6AAAgDUQAAAAAAAAA",
  "AGENACAJIAkoAgBBAWo2AgAgCSAJKAIAQQR0aiELIAsgBDYCACALIA05AwgLIABBBGohACABQQhqIQEgAkEIaiECIANBCGohAyAE",
  "QQFqIQQgBCAKSQ0AC0F/C3QCAX8BeyAD/RQhBiAEIAJBAnRqIQUCQANAIAQgBU8NASAEIAD9AAQAIAH9AAQA/fABIAb98wH9Xv1b",
  "AwAAIAQgAP0ABBAgAf0ABBD98AEgBv3zAf1e/VsDCAAgAEEgaiEAIAFBIGohASAEQRBqIQQMAAsLCw==",
];
