/**
 * Draws the icons of the desktop with Chromium: the app's from resources/icons/icon.svg, the tray's from the mark
 * alone (black and transparent for macOS, which colours it itself). Usage: node test/setup/make-icons.ts
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const icons = new URL("../../resources/icons/", import.meta.url);
const mark = (colour: string): string =>
  readFileSync(new URL("../../src-renderer/public/icon.svg", import.meta.url), "utf8").replaceAll(
    "#2f4f8f",
    colour,
  );

const wanted = [
  { file: "icon.png", size: 512, svg: readFileSync(new URL("icon.svg", icons), "utf8") },
  { file: "tray.png", size: 32, svg: mark("#4c7bd9") },
  { file: "trayTemplate.png", size: 16, svg: mark("#000") },
  { file: "trayTemplate@2x.png", size: 32, svg: mark("#000") },
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu"],
});
try {
  for (const { file, size, svg } of wanted) {
    const page = await browser.newPage({ viewport: { width: size, height: size } });
    await page.setContent(
      `<style>html,body{margin:0;background:transparent}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`,
    );
    await page.screenshot({ path: fileURLToPath(new URL(file, icons)), omitBackground: true });
    await page.close();
  }
} finally {
  await browser.close();
}
