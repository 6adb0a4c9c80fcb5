import type { Reached, SignIn } from "#contract/boards.ts";

/** What stands in the fields of a sign-in. */
export interface SignInForm {
  readonly kind: SignIn["kind"];
  readonly password: string;
  readonly keyPath: string;
  readonly passphrase: string;
  readonly installKey: boolean;
}

export type Ways = Reached["ways"];

/** A password is what a fresh board has; an entry of ~/.ssh/config was made by somebody who has a key. */
export const freshSignIn = (ways: Ways, isConfigured: boolean): SignInForm => {
  const kind = !isConfigured ? "password" : ways.keys.length > 0 ? "key" : ways.agent ? "agent" : "password";
  return {
    kind,
    password: "",
    keyPath: ways.keys[0] ?? "",
    passphrase: "",
    installKey: kind === "password",
  };
};

/** Another way to sign in: only a password is better forgotten. */
export const withKind = (form: SignInForm, kind: SignIn["kind"]): SignInForm => ({
  ...form,
  kind,
  installKey: kind === "password",
});

/** What is lacking, by field. */
export const signInErrors = (form: SignInForm): { readonly password?: string; readonly keyPath?: string } => {
  if (form.kind === "password" && form.password === "") return { password: "Type the password." };
  if (form.kind === "key" && form.keyPath.trim() === "")
    return { keyPath: "Say where the private key lies on this computer." };
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

/** Would something secret have to be kept by the lab, that is gone after a restart if it is in memory only? */
export const leavesASecret = (form: SignInForm): boolean =>
  form.kind === "lab-key" ||
  form.installKey ||
  form.kind === "password" ||
  (form.kind === "key" && form.passphrase !== "");
