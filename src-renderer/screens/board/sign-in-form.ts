import type { Reached, SignIn } from "#contract/boards.ts";

/** The fields of a sign-in. */
export interface SignInForm {
  readonly kind: SignIn["kind"];
  readonly password: string;
  readonly keyPath: string;
  readonly passphrase: string;
  readonly installKey: boolean;
}

/** The ways to sign in that this computer offers for a host. */
export type SignInWays = Reached["ways"];

/** A fresh board has a password; an entry of ~/.ssh/config usually means that the user has a key. */
export const freshSignIn = (ways: SignInWays, isConfigured: boolean): SignInForm => {
  const kind = !isConfigured ? "password" : ways.keys.length > 0 ? "key" : ways.agent ? "agent" : "password";
  return {
    kind,
    password: "",
    keyPath: ways.keys[0] ?? "",
    passphrase: "",
    installKey: kind === "password",
  };
};

/** Changes the way to sign in. Only a password is better replaced by the lab's key. */
export const withKind = (form: SignInForm, kind: SignIn["kind"]): SignInForm => ({
  ...form,
  kind,
  installKey: kind === "password",
});

/** What is missing, by field. */
export const signInErrors = (form: SignInForm): { readonly password?: string; readonly keyPath?: string } => {
  if (form.kind === "password" && form.password === "") return { password: "Enter the password." };
  if (form.kind === "key" && form.keyPath.trim() === "")
    return { keyPath: "Enter the path of the private key on this computer." };
  return {};
};

export const signInOf = (form: SignInForm): SignIn => {
  switch (form.kind) {
    case "password":
      return { kind: "password", password: form.password };
    case "key":
      return {
        kind: "key",
        path: form.keyPath.trim(),
        ...(form.passphrase === "" ? {} : { passphrase: form.passphrase }),
      };
    default:
      return { kind: form.kind };
  }
};

/** Would the lab have to keep a secret, which a restart loses if secrets are in memory only? */
export const leavesASecret = (form: SignInForm): boolean =>
  form.kind === "lab-key" ||
  form.installKey ||
  form.kind === "password" ||
  (form.kind === "key" && form.passphrase !== "");
