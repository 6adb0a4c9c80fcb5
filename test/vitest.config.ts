import { defineConfig } from "vitest/config";

/**
 * How long a test may take before it counts as hanging, in milliseconds. Both limits are at least four times what the
 * slowest tests need on two busy cores; the few that need more say so themselves.
 */
const ROOM_MS = 120_000;
/** Tests of the whole lab start processes, train, and wait for other people's programs. */
const WHOLE_MS = 240_000;

export default defineConfig({
  test: {
    root: ".",
    environment: "node",
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "rooms",
          include: ["test/{main,renderer,setup}/**/*.test.ts"],
          testTimeout: ROOM_MS,
          hookTimeout: ROOM_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "whole lab",
          include: ["test/{integration,e2e}/**/*.test.ts"],
          testTimeout: WHOLE_MS,
          hookTimeout: WHOLE_MS,
        },
      },
    ],
  },
});
