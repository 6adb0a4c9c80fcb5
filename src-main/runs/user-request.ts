/** A request that a person can make at any time, and that is granted once. */
export interface UserRequest {
  readonly isMade: boolean;
  make(): void;
  /** Marks it as granted. */
  grant(): void;
  /** Called when it is made. @returns unsubscribes */
  onMade(listener: () => void): () => void;
}

export const createUserRequest = (): UserRequest => {
  let isMade = false;
  const listeners = new Set<() => void>();
  return {
    get isMade() {
      return isMade;
    },
    make() {
      isMade = true;
      for (const listener of listeners) listener();
    },
    grant() {
      isMade = false;
    },
    onMade(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
