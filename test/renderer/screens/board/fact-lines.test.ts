import { expect, test } from "vitest";
import { factLines } from "#renderer/screens/board/fact-lines.ts";
import { factsOf, MODELS } from "#test/fakes/board-examples.ts";

test("facts have a name each; clock and throttling are said in words", () => {
  const pi = factsOf(MODELS[1]!, "2026-03-01T10:00:00.000Z");
  const lines = new Map(factLines({ ...pi, clockSkewMs: -3_542_400_000 }));
  expect(lines.get("Clock")).toBe("41 days behind");
  expect(lines.get("Throttling")).toBe("none now; since boot: undervoltage");
  expect(lines.get("Docker")).toBe("26.1.3, ready");
  const jetson = (docker: "ready" | "missing") =>
    new Map(factLines(factsOf(MODELS[0]!, pi.at, docker))).get("Docker");
  expect(jetson("ready")).toBe("26.1.3, ready, NVIDIA runtime");
  expect(jetson("missing")).toBe("not installed");
});
