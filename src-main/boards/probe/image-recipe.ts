import type { Architecture, BoardFacts, ImageRecipe } from "#contract/boards.ts";
import { JETSON_IMAGES, type NoGpu, noGpu } from "./jetson-releases.ts";

const GB = 1_000_000_000;

/** The last that installs on Python 3.8; the same one everywhere, so that every board speaks the same protocol. */
const FLWR = "1.11.1";

/**
 * Debian 12 with its own PyTorch 1.13.1: built for ARMv8.0, so it also runs on the Cortex-A53, A57 and A72 of a
 * Raspberry Pi 3 and 4 or a Jetson Nano, where several wheels of PyTorch's end with an illegal instruction.
 */
const CPU_RECIPE: ImageRecipe = {
  dockerfile: "Dockerfile.pi",
  base: "debian:bookworm-slim",
  python: "3.11",
  flwr: FLWR,
  gpu: false,
  // It takes 1.8 while it is made, and 0.9 when it is done, besides the base.
  diskBytes: 3 * GB,
};

export interface RecipeChoice {
  readonly recipe?: ImageRecipe;
  /** One or two sentences: why there is none, and what to do. */
  readonly unsupported?: string;
  /** A Jetson whose GPU the image does not use. */
  readonly noGpu?: NoGpu;
}

/** Which client image a board gets. */
export const chooseRecipe = (board: {
  readonly arch: Architecture;
  readonly userlandBits: 32 | 64;
  readonly machine: string;
  readonly family: BoardFacts["family"];
  readonly jetson?: { readonly l4t: string; readonly soc?: string };
}): RecipeChoice => {
  if (board.machine === "")
    return {
      unsupported:
        "The board's processor type could not be read. Sign in with another user, or look at the output.",
    };
  if (board.arch === "arm")
    return {
      unsupported:
        `Its processor or its kernel is 32-bit (${board.machine}): PyTorch is not published for it. ` +
        (board.family === "raspberry-pi"
          ? "A Raspberry Pi 3, 4, 5 or Zero 2 can be flashed with the 64-bit Raspberry Pi OS; older ones cannot take part."
          : "Install a 64-bit system where the board has a 64-bit processor."),
    };
  if (board.arch === "x86")
    return { unsupported: `It runs a 32-bit system (${board.machine}). Install a 64-bit one.` };
  if (board.arch === "other")
    return {
      unsupported: `There is no client image for ${board.machine} processors. arm64 and x86-64 can take part.`,
    };
  if (board.userlandBits === 32)
    return {
      unsupported:
        "Its kernel is 64-bit, but the installed system is 32-bit, and PyTorch is not published for that. " +
        (board.family === "raspberry-pi"
          ? "Flash the 64-bit Raspberry Pi OS; this board's processor runs it."
          : "Install the 64-bit edition of the system."),
    };
  if (board.family !== "jetson" || board.arch !== "arm64") return { recipe: CPU_RECIPE };
  if (board.jetson === undefined)
    return {
      recipe: CPU_RECIPE,
      noGpu: {
        text: "The GPU stays unused: this is a Jetson, but its release (L4T) could not be read.",
        next: "This board trains on its CPU. With NVIDIA's own system, /etc/nv_tegra_release names the release.",
      },
    };
  const [major = 0, minor = 0] = board.jetson.l4t.split(".").map(Number);
  const image = JETSON_IMAGES.find(({ from, to }) => from[0] === major && from[1] <= minor && minor <= to[1]);
  if (image === undefined) return { recipe: CPU_RECIPE, noGpu: noGpu(major, board.jetson.soc) };
  return {
    recipe: {
      dockerfile: "Dockerfile.jetson",
      base: image.base,
      python: image.python,
      flwr: FLWR,
      gpu: true,
      diskBytes: image.diskBytes,
    },
  };
};
