/**
 * The page's address lies behind the #, its query too: `#/compare?studies=a`. So it can be kept, sent and gone back
 * to, in a window of the desktop as in a browser, and the query goes when the page does.
 */
export const splitHash = (hash: string): { readonly path: string; readonly search: string } => {
  const [path = "", ...search] = hash.replace(/^#?\/?/, "").split("?");
  return { path: `/${path}`, search: search.join("?") };
};
