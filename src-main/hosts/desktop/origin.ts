/** The address of the desktop's page. Its window never shows anything else. */
export const APP_SCHEME = "app";
export const APP_HOST = "lab";
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`;
export const APP_PAGE = `${APP_ORIGIN}/`;

/** Whether an address belongs to our page. It is parsed, because one that begins like ours may lead elsewhere. */
export const isOurPage = (address: string): boolean => {
  const url = URL.parse(address);
  return (
    url !== null &&
    url.protocol === `${APP_SCHEME}:` &&
    url.host === APP_HOST &&
    url.username === "" &&
    url.password === ""
  );
};

/** The sender of a message, as Electron describes it. */
export interface Sender {
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

/** Whether a message comes from our page itself, not from a frame in it or one that has navigated away. */
export const isFromOurPage = ({ senderFrame }: Sender): boolean =>
  senderFrame !== null && senderFrame.parent === null && isOurPage(senderFrame.url);
