import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { LabEvent } from "#contract/events.ts";
import { openRealLab } from "#test/main/hosts/page-api/open-page-lab.ts";

test("a listener that fails takes nothing from the others, nor from who tells", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "fedfleet-lab-"));
  const { lab, close } = openRealLab(dataDir);
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const heard: (readonly [LabEvent["kind"], number | undefined])[] = [];
    lab.subscribe(() => {
      throw new Error("a tray without an icon");
    });
    lab.subscribe((event, id) => heard.push([event.kind, id]));
    lab.emit({ kind: "device-left", device: "virtual-1", reason: "tried" });
    lab.emit({ kind: "device-left", device: "virtual-2", reason: "tried" });
    expect(heard).toEqual([
      ["device-left", 1],
      ["device-left", 2],
    ]);
    expect(String(stderr.mock.calls[0]?.[0])).toContain("a tray without an icon");
  } finally {
    stderr.mockRestore();
    await close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
