/**
 * FedAvg: the examples-weighted mean of the clients' parameters, buffers included. McMahan et al.,
 * "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017. FedProx (Li et al.,
 * MLSys 2020), FedNTD (Lee et al., NeurIPS 2022) and FedPer (Arivazhagan et al., 2019) use it on the server as it is.
 */
import type { Strategy } from "#main/federation/strategy.ts";
import { createAveraging } from "./averaging.ts";

/** The mean of finite values is finite, and it carries no state. */
export const createFedAvg = (): Strategy =>
  createAveraging({
    name: "fedavg",
    initialState: () => [],
    // biome-ignore lint/correctness/useYield: there is no work to be sliced.
    *step({ mean, state }) {
      return { ok: true, value: { tensors: mean, state: [...state] } };
    },
  });
