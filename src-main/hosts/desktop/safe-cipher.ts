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

/** A key ring may wait for its own password; the lab opens without it. */
const PATIENCE_MS = 10_000;

/**
 * Electron's safe storage as a cipher; or why there is none. To be asked after the app is ready.
 * On Linux without a key ring Electron encrypts with a password that everybody knows: that is no protection.
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
        note: "This computer has no key ring (GNOME Keyring or KWallet) that could keep secrets encrypted.",
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
      return { note: "The key ring of this computer does not answer. Unlock it, and start the lab again." };
    if (!available) return { note: "The key ring of this computer cannot be used now." };
  } catch (error) {
    return { note: `The key ring of this computer cannot be used: ${(error as Error).message}.` };
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
