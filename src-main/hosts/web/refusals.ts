/** A page without script or style, for a browser that may not see the lab. */
const page = (title: string, text: string, head = ""): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<meta name="color-scheme" content="light dark"><title>${title}</title>${head}</head>` +
  `<body><h1>${title}</h1><p>${text}</p></body></html>\n`;

export const NO_ACCESS = page(
  "Fedfleet: open the address from the terminal",
  "This lab opens only for the person who started it. Open the whole address that the terminal shows, with its token: " +
    "<code>http://127.0.0.1:…/?token=…</code>. The address changes when the lab restarts; then an open page needs the new one.",
);

export const TOO_MANY = page(
  "Fedfleet: too many wrong tokens",
  "Wait a minute, then open the whole address that the terminal shows.",
);

/** Requests the page again, now from this server's own page: then the browser sends the cookie. */
export const ONCE_MORE = page(
  "Opening Fedfleet",
  `If nothing happens, <a href="/">continue to the lab</a>.`,
  `<meta http-equiv="refresh" content="0; url=/">`,
);
