import { useSyncExternalStore } from "react";
import { splitHash } from "./split-hash.ts";

const subscribe = (changed: () => void) => {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
};

const navigate = (
  to: string,
  { replace = false, state = null }: { replace?: boolean; state?: unknown } = {},
) => {
  const oldURL = location.href;
  const url = new URL(oldURL);
  url.hash = to;
  history[replace ? "replaceState" : "pushState"](state, "", url.href);
  dispatchEvent(new HashChangeEvent("hashchange", { oldURL, newURL: url.href }));
};

const useHashPath = (): [string, typeof navigate] => [
  useSyncExternalStore(subscribe, () => splitHash(location.hash).path),
  navigate,
];

const useHashSearch = (): string => useSyncExternalStore(subscribe, () => splitHash(location.hash).search);

/** For wouter's Router: `useLocation` gives the path, `useSearch` the query. */
export const useHashLocation = Object.assign(useHashPath, {
  hrefs: (href: string) => `#${href}`,
  searchHook: useHashSearch,
});
