/** Looks again and again. @throws Error that says for what it waited */
export const until = async (
  what: string,
  holds: () => Promise<boolean>,
  deadlineMs = 60_000,
): Promise<void> => {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
