import { expect, test } from "vitest";
import {
  damageText,
  downloadLabel,
  formatText,
  shortPath,
  titleParts,
} from "#renderer/screens/data/dataset-text.ts";

test("a path is cut in its middle and keeps both ends", () => {
  const path = `/home/somebody/${"a".repeat(100)}/fashion-mnist`;
  const short = shortPath(path, 40);
  expect(short).toHaveLength(40);
  expect(short.startsWith("/home/")).toBe(true);
  expect(short.endsWith("/fashion-mnist")).toBe(true);
  expect(shortPath("/data", 40)).toBe("/data");
});

test("a title in two parts; one without a bracket in one", () => {
  expect(titleParts("CIFAR-10 (50,000 images)")).toEqual({ title: "CIFAR-10", about: "50,000 images" });
  expect(titleParts("mine")).toEqual({ title: "mine", about: undefined });
});

test("a damaged data set says what is wrong and what to do", () => {
  expect(damageText({ problem: "one file is cut short", next: "Download it again." })).toBe(
    "One file is cut short. Download it again.",
  );
  expect(damageText({})).toBe("Its files have the wrong content.");
});

test("the button says what a click does: start, resume or retry", () => {
  const entry = { downloadBytes: 170_000_000 };
  expect(downloadLabel(entry, undefined)).toBe("Download 170 MB");
  expect(downloadLabel(entry, { state: "stopped" })).toBe("Resume");
  expect(downloadLabel(entry, { state: "failed" })).toBe("Try again");
});

test("formats in words; an unknown one by its name", () => {
  expect(formatText("fashion-mnist-idx")).toBe("IDX files");
  expect(formatText("cifar10-python")).toBe("Python pickle files");
  expect(formatText("parquet")).toBe("parquet");
});
