import { Button, Menu } from "@mantine/core";
import { Small } from "#renderer/ui/page.tsx";

/** The kinds of devices that the page can add. */
export type AddableDevice = "board" | "many-boards" | "virtual";

const ITEMS: readonly { readonly what: AddableDevice; readonly title: string; readonly text: string }[] = [
  {
    what: "board",
    title: "A board over SSH",
    text: "Jetson, Raspberry Pi, or any Linux computer with Docker",
  },
  { what: "many-boards", title: "Several boards", text: "From a pasted list or a CSV file" },
  { what: "virtual", title: "Virtual devices", text: "Clients on this computer" },
];

/** Where the focus returns to after a dialog that the menu has opened. */
export const ADD_DEVICE_ID = "add-device";

export const AddDeviceMenu = ({ onAdd }: { readonly onAdd: (what: AddableDevice) => void }) => (
  // the menu gives its button an id of its own
  <div id={ADD_DEVICE_ID}>
    <Menu position="bottom-end" width={300}>
      <Menu.Target>
        <Button variant="filled">Add device</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {ITEMS.map(({ what, title, text }) => (
          <Menu.Item key={what} onClick={() => onAdd(what)}>
            <b>{title}</b>
            <br />
            <Small>{text}</Small>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  </div>
);
