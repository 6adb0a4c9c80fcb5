import type { Dataset } from "#contract/dataset.ts";
import type { Release, Slots } from "#contract/slots.ts";
import type { ClientMessageOut } from "#main/wire/protocol.ts";
import type { Clock, Learner, Models } from "./device-rooms.ts";
import type { KeptState } from "./kept-state.ts";
import type { FleetTask } from "./worker-messages.ts";

/** What all devices of one worker process share. */
export interface SharedByDevices {
  readonly task: FleetTask;
  readonly data: Dataset;
  readonly learner: Learner;
  readonly models: Models;
  readonly kept: KeptState;
  /** One device computes at a time; large messages come in only with this slot. */
  readonly compute: Slots;
  /** Finished large updates that may wait for their upload. */
  readonly uploads: Slots;
  /** Finished large updates of slow devices that may wait until their device has been slow enough. */
  readonly asleep: Slots;
  readonly clock: Clock;
  /** Ends the process at once, as a crash does. Does not return. */
  readonly crash: () => never;
  readonly onProgress: (device: string, run: string, round: number, fraction: number) => void;
  /** A training begins that will end in a simulated mishap. */
  readonly onFaultAhead: (device: string, fault: "drop" | "crash") => void;
}

/** What becomes of an instruction. */
export type Outcome =
  | {
      readonly kind: "answer";
      readonly message: ClientMessageOut;
      /** To be called when the message has left, or never will. */
      readonly sent: Release;
    }
  /** A simulated drop-out: the connection is cut already. */
  | { readonly kind: "dropped" }
  /** The connection ended, or the fleet is stopping. */
  | { readonly kind: "lost" }
  | { readonly kind: "reconnect"; readonly seconds: number };
