/** A child process that talks with this one: Node's own fork, or the desktop shell's utility process. */
export interface Child {
  readonly pid: number | undefined;
  /** Structured-clone values; lost without an error when the child has ended. */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Text of its standard output and error, as it comes. */
  onOutput(listener: (text: string) => void): void;
  /** It could not be started. */
  onError(listener: (error: Error) => void): void;
  /** Once. `signal` where the system tells it. After it no message comes. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  /** At once, without asking. */
  kill(): void;
  readonly ended: boolean;
}

/** @param entry the child's root; `name` is what lists of processes show */
export type ForkChild = (
  entry: URL,
  options: { readonly name: string; readonly env?: Readonly<Record<string, string>> },
) => Child;

/** The other end, within the child. The child ends by itself when its parent is gone. */
export interface Parent {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}
