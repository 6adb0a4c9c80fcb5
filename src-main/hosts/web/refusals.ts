/** A page without script or style: what a browser is told that may not see the lab. */
const page = (title: string, text: string, head = ""): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<meta name="color-scheme" content="light dark"><title>${title}</title>${head}</head>` +
  `<body><h1>${title}</h1><p>${text}</p></body></html>\n`;

export const NO_ACCESS = page(
  "Fedfleet: open the address from the terminal",
  "This lab opens for whoever started it. Open the whole address that the terminal shows, with its token: " +
    "<code>http://127.0.0.1:…/?token=…</code>. When the lab is started again, the address changes; a page that was open needs the new one.",
);

export const TOO_MANY = page(
  "Fedfleet: too many wrong tokens",
  "Wait a minute, then open the whole address that the terminal shows.",
);

/** Asks for the page again as a page of this server, for which the browser sends the cookie. */
export const ONCE_MORE = page(
  "Fedfleet opens",
  `If nothing happens, <a href="/">go on to the lab</a>.`,
  `<meta http-equiv="refresh" content="0; url=/">`,
);
