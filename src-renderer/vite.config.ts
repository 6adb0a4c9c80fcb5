import react from "@vitejs/plugin-react";
import type { UserConfig } from "vite";

/** How the page is built, by the desktop's build and for the browser host alike. */
export const rendererConfig: UserConfig = {
  root: import.meta.dirname,
  base: "./",
  plugins: [react()],
  build: {
    outDir: new URL("../out/renderer", import.meta.url).pathname,
    emptyOutDir: true,
    minify: "oxc",
    cssMinify: true,
    target: "es2023",
    // A data: URL in a style would need a hole in the content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: new URL("./index.html", import.meta.url).pathname },
  },
};

export default rendererConfig;
