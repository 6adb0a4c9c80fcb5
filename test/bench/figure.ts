/** One line of the benchmark's table. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What a user would take instead, and its value in the same unit, from the same run. */
  readonly against?: { readonly name: string; readonly value: number };
  /** How `value` compares, in the sense of the target. */
  readonly ratio?: number;
  /** The target as text, e.g. "at most 0.333 ×". */
  readonly target: string;
  readonly met: boolean;
}

const number = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);

export const renderFigures = (figures: readonly Figure[]): string => {
  const rows = figures.map((f) => [
    f.name,
    `${number(f.value)} ${f.unit}`,
    f.against === undefined ? "–" : `${number(f.against.value)} ${f.unit} (${f.against.name})`,
    f.ratio === undefined ? "–" : `${number(f.ratio)} ×`,
    f.target,
    f.met ? "yes" : "NO",
  ]);
  const head = ["figure", "Fedfleet", "against", "ratio", "target", "met"];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
};
