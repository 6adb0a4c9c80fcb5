import "./ui/quiet-zod.ts";

// Imported after that file is done: a bundler may put schemas into a chunk that runs before this one.
const { startPage } = await import("./start-page.tsx");
await startPage();
