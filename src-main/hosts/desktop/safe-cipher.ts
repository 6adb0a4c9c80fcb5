import type { SafeStorage } from "electron";

/** What encrypts secrets at rest. */
export interface Cipher {
  encrypt(text: string): Promise<string>;
  decrypt(text: string): Promise<string>;
}

type Storage = Pick<
  SafeStorage,
  "isAsyncEncryptionAvailable" | "encryptStringAsync" | "decryptStringAsync" | "getSelectedStorageBackend"
>;

/** A key ring may be waiting for its password; the lab opens without it. */
const PATIENCE_MS = 10_000;

/**
 * Electron's safe storage as a cipher, or why there is none. Call it after the app is ready.
 * On Linux without a key ring, Electron encrypts with a password that is public: that is no protection.
 */
export const createSafeCipher = async (
  electron: { readonly safeStorage: Storage },
  options: { readonly platform?: NodeJS.Platform; readonly patienceMs?: number } = {},
): Promise<{ readonly cipher: Cipher } | { readonly note: string }> => {
  const { safeStorage } = electron;
  const { platform = process.platform, patienceMs = PATIENCE_MS } = options;
  if (platform === "linux") {
    const backend = safeStorage.getSelectedStorageBackend();
    if (backend === "basic_text" || backend === "unknown") {
      return {
        note: "This computer has no key ring (GNOME Keyring or KWallet) to encrypt secrets with.",
      };
    }
  }
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), patienceMs);
    });
    const available = await Promise.race([safeStorage.isAsyncEncryptionAvailable(), late]);
    if (available === "late")
      return { note: "This computer's key ring does not respond. Unlock it and restart the lab." };
    if (!available) return { note: "This computer's key ring is not available right now." };
  } catch (error) {
    return { note: `This computer's key ring cannot be used: ${(error as Error).message}.` };
  } finally {
    clearTimeout(timer);
  }
  return {
    cipher: {
      encrypt: async (text) => (await safeStorage.encryptStringAsync(text)).toString("base64"),
      decrypt: async (text) => (await safeStorage.decryptStringAsync(Buffer.from(text, "base64"))).result,
    },
  };
};
