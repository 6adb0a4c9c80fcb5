/**
 * The page's address and its query come after the #: `#/compare?studies=a`. So an address can be kept, sent and gone
 * back to, in the desktop's window as in a browser, and the query disappears with the page.
 */
export const splitHash = (hash: string): { readonly path: string; readonly search: string } => {
  const [path = "", ...search] = hash.replace(/^#?\/?/, "").split("?");
  return { path: `/${path}`, search: search.join("?") };
};
