import type { MenuItemConstructorOptions } from "electron";

/** The app's menu. Everything else is a button on the page; Quit asks the same question as every way out. */
export const menuTemplate = (platform: NodeJS.Platform, packaged: boolean): MenuItemConstructorOptions[] => {
  const first: MenuItemConstructorOptions =
    platform === "darwin" ? { role: "appMenu" } : { label: "&File", submenu: [{ role: "quit" }] };
  const forDevelopers: MenuItemConstructorOptions[] = packaged ? [] : [{ role: "toggleDevTools" }];
  return [
    first,
    { role: "editMenu" },
    {
      label: "&View",
      submenu: [
        { role: "reload" },
        { type: "separator" },
        { role: "resetZoom" },
        { role: "zoomIn" },
        { role: "zoomOut" },
        { type: "separator" },
        { role: "togglefullscreen" },
        ...forDevelopers,
      ],
    },
    { role: "windowMenu" },
  ];
};
