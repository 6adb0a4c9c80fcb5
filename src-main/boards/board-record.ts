import type { BoardFacts, BoardTarget, HostKey, SignIn } from "#contract/boards.ts";

/** What is on record of a board. */
export interface BoardRecord {
  readonly name: string;
  readonly target: BoardTarget;
  readonly signIn:
    | { readonly kind: Exclude<SignIn["kind"], "key"> }
    | { readonly kind: "key"; readonly path: string };
  readonly hostKey: HostKey;
  readonly dataFolder?: string;
  readonly facts?: BoardFacts;
  /** Every step of its set-up was done when it was last checked. */
  readonly ready: boolean;
  readonly addedAt: string;
}

/** What may be on record of how one signs in. */
export const withoutSecret = (signIn: SignIn): BoardRecord["signIn"] =>
  signIn.kind === "key" ? { kind: "key", path: signIn.path } : { kind: signIn.kind };

/** "pi@10.0.0.7:2222", as far as it was given. */
export const plainAddress = ({ host, port, user }: BoardTarget): string =>
  `${user === undefined ? "" : `${user}@`}${host.includes(":") ? `[${host}]` : host}${port === undefined ? "" : `:${port}`}`;
