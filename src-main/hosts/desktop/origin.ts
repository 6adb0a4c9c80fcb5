/** Where the page of the desktop lives: nothing else is ever shown in its window. */
export const APP_SCHEME = "app";
export const APP_HOST = "lab";
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`;
export const APP_PAGE = `${APP_ORIGIN}/`;

/** Whether an address is of our own page. It is parsed: what begins like ours may lead elsewhere. */
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

/** The sender of a message, as Electron tells it. */
export interface Sender {
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

/** Whether a message comes from our page itself: no frame within it, and none that has gone elsewhere. */
export const isFromOurPage = ({ senderFrame }: Sender): boolean =>
  senderFrame !== null && senderFrame.parent === null && isOurPage(senderFrame.url);
