import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { useLab, useNow } from "#renderer/state/use-states.ts";
import { SHORT_ENGINE_TITLES } from "./engine-titles.ts";
import { wholeSeconds } from "./format.ts";
import style from "./frame.module.css";

const PAGES = [
  { path: "/", title: "Studies", also: /^\/(studies|new)/ },
  { path: "/fleet", title: "Fleet", also: /^\/fleet/ },
  { path: "/compare", title: "Compare", also: /^\/compare/ },
  { path: "/data", title: "Data", also: /^\/data/ },
  { path: "/settings", title: "Settings", also: /^\/settings/ },
] as const;

/** For this long after a change of page, a page that is still loading may replace its title. */
const LOADING_MS = 5000;

/** The frame around every page: where you are, and whether the lab is well. */
export const Frame = ({ children }: { readonly children: ReactNode }) => {
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what matters is that the page has changed
  useEffect(() => {
    if (main.current === null) return;
    const page = main.current;
    page.scrollTo(0, 0);
    if (first.current) {
      first.current = false;
      return;
    }
    // After a change of page the focus moves to its title, and a screen reader reads it.
    const focusTitle = () =>
      page.querySelector<HTMLElement>("[data-page-title]")?.focus({ preventScroll: true });
    focusTitle();
    // A page that is still loading is replaced, and its title with it: the focus would fall back to the document.
    const observer = new MutationObserver(() => {
      if (document.activeElement === document.body) focusTitle();
    });
    observer.observe(page, { childList: true, subtree: true });
    // From the first key or click on, the focus belongs to the person.
    const stop = () => {
      clearTimeout(settled);
      observer.disconnect();
      removeEventListener("keydown", stop, true);
      removeEventListener("pointerdown", stop, true);
    };
    const settled = setTimeout(stop, LOADING_MS);
    addEventListener("keydown", stop, true);
    addEventListener("pointerdown", stop, true);
    return stop;
  }, [location]);
  return (
    <div className={style.frame}>
      <button type="button" className={style.skip} onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <nav className={style.nav} aria-label="Pages">
        <Link href="/" className={style.brand ?? ""}>
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <circle cx="10" cy="10" r="3" />
            <circle cx="10" cy="2.6" r="2" />
            <circle cx="16.4" cy="13.7" r="2" />
            <circle cx="3.6" cy="13.7" r="2" />
            <path d="M10 4.6v2.6M14.7 12.7l-2.2-1.3M5.3 12.7l2.2-1.3" />
          </svg>
          Fedfleet
        </Link>
        {PAGES.map(({ path, title, also }) => {
          const here = path === location || also.test(location);
          return (
            <Link
              key={path}
              href={path}
              className={style.link ?? ""}
              {...(here ? { "aria-current": "page" as const } : {})}
            >
              {title}
            </Link>
          );
        })}
        <Foot />
      </nav>
      <main className={style.main} id="main" ref={main} tabIndex={-1}>
        <Lost />
        {children}
      </main>
    </div>
  );
};

/** The status line at the foot of the frame. */
const Foot = () => {
  const connection = useLab((state) => state.connection);
  const view = useLab((state) => state.view);
  const activity = useLab((state) => state.activity);
  const engine = view?.engines?.find((e) => e.chosen);
  const away = connection === "lost" || connection === "refused";
  const tone = away ? "bad" : connection === "open" ? "ok" : "quiet";
  const word = away
    ? "Connection lost"
    : connection === "connecting"
      ? "Connecting"
      : activity.study === undefined
        ? "Server ready"
        : activity.phase === "paused"
          ? "A study is paused"
          : "A study is running";
  return (
    <div className={style.foot}>
      <span className={style.led} data-tone={tone} />
      {word}
      <br />
      <small>
        {engine === undefined ? "" : SHORT_ENGINE_TITLES[engine.kind]}
        {activity.queue.length > 0 ? ` · ${activity.queue.length} queued` : ""}
      </small>
    </div>
  );
};

/** The page never waits in silence: after two seconds it says that the lab does not answer. */
const Lost = () => {
  const connection = useLab((state) => state.connection);
  const since = useLab((state) => state.since);
  const now = useNow();
  if (connection === "refused") {
    return (
      <div className={style.lost} role="alert">
        The lab has restarted and no longer recognises this page. Open the address that its terminal shows;
        nothing is lost.
      </div>
    );
  }
  if (connection === "open" || now - since < 2000) return null;
  return (
    <div className={style.lost} role="status">
      The lab has not answered for {wholeSeconds(Math.round((now - since) / 1000))}. Check that its window or
      terminal is still open. This page reconnects by itself; nothing is lost.
    </div>
  );
};
