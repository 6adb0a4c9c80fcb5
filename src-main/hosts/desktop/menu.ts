import type { MenuItemConstructorOptions } from "electron";

/** The menu of the app. Its page has its own buttons for everything else; Quit asks what every way out asks. */
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
