/** Where a board's public host key is stored on the board itself, by the type of the key. */
const keyFileOf = (type: string): string => {
  const kind = type.startsWith("ecdsa") ? "ecdsa" : type.includes("rsa") ? "rsa" : "ed25519";
  return `/etc/ssh/ssh_host_${kind}_key.pub`;
};

/** The command that prints the fingerprint on the board. */
export const fingerprintCommand = (type: string): string => `ssh-keygen -lf ${keyFileOf(type)}`;
