import type { BoardFacts } from "#contract/boards.ts";
import { boardWarnings } from "./board-warnings.ts";
import { architecture, readDocker } from "./docker-facts.ts";
import { chooseRecipe } from "./image-recipe.ts";
import { JETPACK, JETSON_SOCS } from "./jetson-releases.ts";
import { readSections, type Sections } from "./sections.ts";
import { readThrottled } from "./throttling.ts";

/** When the probe was sent and its answer was complete, by this computer's clock. */
export interface ProbeTimes {
  readonly at: string;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/**
 * What a board is, from what the probe printed there. Pure, and never throws, whatever the board printed: what could
 * not be read is left out or 0, and `unsupported` or a warning says what that means.
 */
export const parseProbe = (text: string, times: ProbeTimes): BoardFacts => {
  const sections = readSections(text) ?? readSections("fedfleet-probe 1")!;
  const machine = sections.first("machine");
  const compatible = sections.lines("compatible").map((line) => line.trim());
  const jetson = readJetson(sections, compatible);
  const model = readModel(sections, compatible, machine);
  const family = familyOf(model, compatible, jetson !== undefined);
  const arch = architecture(machine);
  const userlandBits = sections.first("bits") === "32" || arch === "arm" || arch === "x86" ? 32 : 64;
  const docker = readDocker(sections);
  const throttling = readThrottled(sections.first("throttled"));
  const memory = readMemory(sections);
  const powerMode = readPowerMode(sections);
  const choice = chooseRecipe({ arch, userlandBits, machine, family, ...(jetson && { jetson }) });
  const disk = readDisk(sections);
  const clockSkewMs = readClockSkew(sections, times);
  const rawTable = sections.get("ip-raw");
  return {
    at: times.at,
    model,
    family,
    arch,
    userlandBits,
    os: readOs(sections),
    kernel: sections.first("kernel"),
    cores: whole(sections.first("cores")),
    memoryBytes: memory.total,
    swapBytes: memory.swap,
    disk,
    user: sections.first("user"),
    uid: whole(sections.first("uid")),
    home: sections.first("home"),
    sudo: readSudo(sections),
    ...(jetson && { jetson: { ...jetson, ...(powerMode !== undefined && { powerMode }) } }),
    docker: docker.facts,
    clockSkewMs,
    ...(throttling && { throttling }),
    ...(choice.recipe && { recipe: choice.recipe }),
    ...(choice.unsupported !== undefined && { unsupported: choice.unsupported }),
    warnings: boardWarnings({
      isComplete: sections.get("end") !== undefined,
      family,
      clockSkewMs,
      ...(throttling && { throttling }),
      ...(memory.available !== undefined && { memoryAvailable: memory.available }),
      disk,
      docker,
      choice,
      ...(powerMode !== undefined && { powerMode }),
      cmdline: sections.first("cmdline"),
      ...(rawTable && { hasRawTable: rawTable.status === 0 }),
    }),
  };
};

/** "# R36 (release), REVISION: 4.3, GCID: …": release 36, revision 4.3. Its BOARD is wrong on many boards. */
const RELEASE = /R(\d{1,3}) \(release\), REVISION: (\d{1,3})\.(\d{1,3})/;

const readJetson = (
  sections: Sections,
  compatible: readonly string[],
): { l4t: string; jetpack?: string; soc?: string } | undefined => {
  const release = RELEASE.exec(sections.first("l4t"));
  const packaged = /^(\d{1,3}\.\d{1,3}\.\d{1,3})(?:-|$)/.exec(sections.first("l4t-package"))?.[1];
  const l4t = release ? `${release[1]}.${release[2]}.${release[3]}` : packaged;
  if (l4t === undefined) return undefined;
  const jetpack = Object.hasOwn(JETPACK, l4t) ? JETPACK[l4t] : undefined;
  const soc = socOf(compatible);
  return { l4t, ...(jetpack !== undefined && { jetpack }), ...(soc !== undefined && { soc }) };
};

const socOf = (compatible: readonly string[]): string | undefined => {
  const chips = compatible.flatMap((name) => /^nvidia,(tegra\d{3})$/.exec(name)?.[1] ?? []);
  return chips.find((chip) => Object.hasOwn(JETSON_SOCS, chip)) ?? chips[0];
};

/** The device tree's word for it; for a PC the firmware's; else the processor's. */
const readModel = (sections: Sections, compatible: readonly string[], machine: string): string => {
  const tree = short(sections.first("model"));
  const soc = socOf(compatible);
  const chip = soc === undefined ? undefined : JETSON_SOCS[soc];
  if (tree !== "") return chip !== undefined && !/nvidia|jetson/i.test(tree) ? `${chip} (${tree})` : tree;
  const [vendor = "", product = ""] = (sections.get("dmi")?.status === 0 ? sections.lines("dmi") : []).map(
    short,
  );
  if (product !== "" && !/^(to be filled|system product name|default string|none)/i.test(product))
    return vendor === "" || product.toLowerCase().startsWith(vendor.toLowerCase())
      ? product
      : `${vendor} ${product}`;
  const processor = short(sections.first("cpu").replace(/^[^:]*:\s*/, ""));
  return processor || machine || "unknown";
};

const familyOf = (model: string, compatible: readonly string[], hasL4t: boolean): BoardFacts["family"] => {
  if (hasL4t || compatible.some((name) => /^nvidia,tegra\d/.test(name))) return "jetson";
  if (/^raspberry pi/i.test(model) || compatible.some((name) => name.startsWith("raspberrypi,")))
    return "raspberry-pi";
  return "other";
};

const readOs = (sections: Sections): BoardFacts["os"] => {
  const fields = new Map<string, string>();
  for (const line of sections.lines("os")) {
    const field = /^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    if (field) fields.set(field[1]!, short(field[2] ?? field[3] ?? field[4] ?? ""));
  }
  return {
    id: fields.get("ID") ?? "",
    version: fields.get("VERSION_ID") ?? "",
    name: fields.get("PRETTY_NAME") ?? fields.get("NAME") ?? "",
  };
};

const readMemory = (sections: Sections): { total: number; swap: number; available?: number } => {
  const bytes = (key: string): number | undefined => {
    const line = sections.lines("memory").find((candidate) => candidate.startsWith(`${key}:`));
    const kilobytes = /^\w+:\s+(\d{1,12}) kB/.exec(line ?? "")?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  };
  // Kernels before 3.14 do not tell what is available; what is free is less, never more.
  const available = bytes("MemAvailable") ?? bytes("MemFree");
  return {
    total: bytes("MemTotal") ?? 0,
    swap: bytes("SwapTotal") ?? 0,
    ...(available !== undefined && { available }),
  };
};

/** The folder, then `df -Pk`'s line: device, size, used, available, %, mount point. A device's name may hold spaces. */
const readDisk = (sections: Sections): BoardFacts["disk"] => {
  const [path = "", line = ""] = sections.lines("disk");
  const sizes = /\s(\d{1,15})\s+(\d{1,15})\s+(-?\d{1,15})\s+\S+\s+\//.exec(line);
  return {
    path: path || sections.first("home") || "/",
    totalBytes: Number(sizes?.[1] ?? 0) * 1024,
    freeBytes: Math.max(0, Number(sizes?.[3] ?? 0)) * 1024,
  };
};

/** `sudo -n -v` tells a user who may not use sudo from one who would have to type a password; `sudo -n true` does not. */
const readSudo = (sections: Sections): BoardFacts["sudo"] => {
  if (sections.first("uid") === "0") return "root";
  const sudo = sections.get("sudo");
  if (sudo === undefined || sudo.status === 127) return "none";
  if (sudo.status === 0) return "free";
  const said = [...sudo.lines, ...(sections.get("sudo-check")?.lines ?? [])].join("\n");
  if (/may not run sudo|not in the sudoers|afraid I can't do that|not allowed to/i.test(said)) return "none";
  // Not set-uid, or "no new privileges": it cannot work for any user.
  if (/effective uid|no new privileges|must be owned by uid 0|must be setuid/i.test(said)) return "none";
  return "password";
};

const readPowerMode = (sections: Sections): string | undefined => {
  for (const line of sections.get("power-mode")?.lines ?? []) {
    const mode = /^NV Power Mode:\s*(\S.*)$/.exec(line.trim())?.[1];
    if (mode !== undefined) return short(mode);
  }
  return undefined;
};

/**
 * The board's clock minus ours. The board's own time between its two clock readings is subtracted; the rest of
 * what we waited was the way there and back, half of it each.
 */
const readClockSkew = (sections: Sections, times: ProbeTimes): number => {
  const began = readClock(sections.first("clock"));
  if (began === undefined) return 0;
  const ended = readClock(sections.first("clock-end")) ?? began;
  const waited = Math.max(0, times.receivedAtMs - times.sentAtMs);
  // A clock that was set meanwhile, or one without a working oscillator, says nonsense: then the middle is the guess.
  const spent = ended - began >= 0 && ended - began <= waited ? ended - began : 0;
  const skew = Math.round(began - (times.sentAtMs + (waited - spent) / 2));
  // 0, never -0: it is compared and printed.
  return skew || 0;
};

/** @returns milliseconds; where the board's `date` knows whole seconds only, the middle of the second */
const readClock = (text: string): number | undefined => {
  const parts = /^(\d{1,11})(?:\.(\d{1,9})?.*)?$/.exec(text);
  if (!parts) return undefined;
  return Number(parts[1]) * 1000 + (parts[2] === undefined ? 500 : Number(`0.${parts[2]}`) * 1000);
};

const whole = (text: string): number => (/^\d{1,10}$/.test(text) ? Number(text) : 0);

/** Without control characters, and no longer than a line of a table. */
const short = (text: string): string =>
  text
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, 200);
