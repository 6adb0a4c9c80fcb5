/** How numbers, times and sizes are written, everywhere in the page. */

/** 0.4604 → "46.0%"; unknown → "–". */
export const percent = (share: number | null | undefined, digits = 1): string =>
  share === null || share === undefined || !Number.isFinite(share)
    ? "–"
    : `${(share * 100).toFixed(digits)}%`;

/** A difference of accuracies, in points: 0.125 → "+12.5". */
export const points = (difference: number | null | undefined, digits = 1): string => {
  if (difference === null || difference === undefined || !Number.isFinite(difference)) return "–";
  const text = (difference * 100).toFixed(digits);
  const rounded = Number(text);
  return rounded > 0 ? `+${text}` : rounded === 0 ? text.replace("-", "") : text.replace("-", "−");
};

export const fixed = (value: number | null | undefined, digits = 3): string =>
  value === null || value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(digits);

/** "0.7 MB"; decimal units, as disks and networks count. */
export const bytes = (count: number | undefined): string => {
  if (count === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
};

/** "52 °C" */
export const degrees = (celsius: number | undefined): string | undefined =>
  celsius === undefined ? undefined : `${Math.round(celsius)} °C`;

export const count = (value: number): string => value.toLocaleString("en-US");

/** "3 devices", "1 device". */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

/** An estimate: "7 s", "40 s", "4 min"; never below a second. */
export const estimate = (seconds: number): string => {
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`;
  return duration(seconds < 90 ? Math.round(seconds / 5) * 5 : seconds);
};

/** "14 s", "4 min", "2 h 10 min". */
export const duration = (seconds: number): string => {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return hours >= 48
    ? `${Math.round(hours / 24)} days`
    : rest === 0
      ? `${hours} h`
      : `${hours} h ${rest} min`;
};

/** "14 s", "4 min": of a clock that counts whole seconds; never negative. */
export const wholeSeconds = (seconds: number): string =>
  seconds < 90 ? `${Math.max(0, seconds)} s` : duration(seconds);

/** "10:42:07" on this computer's clock. */
export const clock = (iso: string): string =>
  new Date(iso).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** "today 10:42", "yesterday 18:03", "3 Nov 2026". */
export const day = (iso: string, now = Date.now()): string => {
  const at = new Date(iso);
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (at.getTime() >= midnight) return `today ${time}`;
  if (at.getTime() >= midnight - 86_400_000) return `yesterday ${time}`;
  return at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
};

/** "now", "14 s ago", "3 min ago", then the day. */
export const ago = (iso: string, now = Date.now()): string => {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds < 5) return "now";
  if (seconds < 10) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${duration(Math.floor(seconds))} ago`;
  return day(iso, now);
};

/** "a, b and c", "a, b, c and 5 more". */
export const someOf = (names: readonly string[], most = 3): string => {
  if (names.length <= 1) return names.join("");
  if (names.length <= most) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
};

/** A note or problem of the lab as a sentence: "must be at least 1" → "Must be at least 1." */
export const asSentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
