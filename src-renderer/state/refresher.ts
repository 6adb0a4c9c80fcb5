/**
 * Asks the lab again once things are calm: at most once per `calmMs`, never twice at the same time, and only while a
 * page shows the answer.
 *
 * @param ask handles its own errors
 */
export const createRefresher = (ask: () => Promise<void>, calmMs: number) => {
  let watched = 0;
  let due = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    due = true;
    if (watched === 0 || timer !== undefined) return;
    timer = setTimeout(async () => {
      due = false;
      await ask();
      timer = undefined;
      if (due) soon();
    }, calmMs);
  };
  return {
    soon,
    /** While a page shows it. @returns what to call when the page is left */
    watch: (): (() => void) => {
      watched += 1;
      if (watched === 1) void ask();
      return () => {
        watched -= 1;
      };
    },
  };
};
