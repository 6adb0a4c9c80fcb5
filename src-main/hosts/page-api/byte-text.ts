const UNITS = ["kB", "MB", "GB", "TB"] as const;

/** 170052171 as "170 MB": at most three digits. */
export const byteText = (bytes: number): string => {
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${UNITS[unit]}`;
};
