import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const FORMATS = {
  csv: "CSV",
  "rounds-csv": "Rounds CSV",
  markdown: "Markdown",
  latex: "LaTeX",
  text: "Text",
  json: "JSON",
  xlsx: "Excel",
  svg: "Chart, SVG",
  png: "Chart, PNG",
} as const;

/** Exports what is compared in every format: looks at each preview, saves each file. @returns the files' bytes */
export const exportsOf = async (page: Page): Promise<ReadonlyMap<string, Buffer>> => {
  await page.getByRole("button", { name: "Export", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Export" });
  const files = new Map<string, Buffer>();
  const names = new Set<string>();
  for (const [format, label] of Object.entries(FORMATS)) {
    await dialog.getByRole("button", { name: label, exact: true }).click();
    const preview = dialog.getByLabel(`Preview, ${label}`);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      dialog.getByRole("button", { name: "Save" }).click(),
    ]);
    const bytes = await readFile(await download.path());
    names.add(download.suggestedFilename());
    files.set(format, bytes);
    if (format === "svg" || format === "png") {
      await preview.getByRole("img").waitFor();
    } else if (format !== "xlsx") {
      // What is shown is what is saved: all of it, or its first lines.
      const shown = (await preview.locator("pre").textContent()) ?? "";
      expect(shown.length).toBeGreaterThan(20);
      expect(
        bytes.toString("utf8").replaceAll("\r\n", "\n").startsWith(shown.replaceAll("\r\n", "\n").trimEnd()),
      ).toBe(true);
    }
  }
  // Files of one name would replace each other in a folder.
  expect(names.size).toBe(Object.keys(FORMATS).length);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  return files;
};
