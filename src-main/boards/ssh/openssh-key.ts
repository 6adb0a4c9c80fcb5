import { createPrivateKey } from "node:crypto";

const string = (data: Buffer | string): Buffer => {
  const bytes = Buffer.from(data as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/**
 * A private key as ssh2 reads it. Its PEM does for RSA and ECDSA; of an Ed25519 key ssh2 reads only OpenSSH's own
 * form (PROTOCOL.key of OpenSSH), which this writes, without a passphrase and for memory only.
 */
export const openSshKey = (pem: string, publicKey: Buffer, comment: string): string => {
  if (!pem.includes("BEGIN PRIVATE KEY")) return pem;
  const { d, x } = createPrivateKey(pem).export({ format: "jwk" });
  const seed = Buffer.from(d!, "base64url");
  const point = Buffer.from(x!, "base64url");
  const check = Buffer.from("fedfleet").subarray(0, 4);
  const secret = Buffer.concat([
    check,
    check,
    string("ssh-ed25519"),
    string(point),
    string(Buffer.concat([seed, point])),
    string(comment),
  ]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (secret.length % 8)) % 8);
  const count = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    string("none"),
    string("none"),
    string(""),
    count,
    string(publicKey),
    string(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString("base64").match(/.{1,70}/g)!;
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
};
