import { Button, Menu } from "@mantine/core";
import type { FleetGroup } from "#contract/views.ts";
import { profileText } from "#renderer/ui/device-words.ts";
import { plural } from "#renderer/ui/format.ts";
import { Card } from "#renderer/ui/page.tsx";
import style from "./groups.module.css";

/** Where the focus returns to after a dialog that the group's menu has opened. */
export const groupElementId = (group: string): string => `group-${group}`;

/** The groups of virtual devices, each with its profile and a menu. */
export const Groups = ({
  groups,
  onEdit,
  onRemove,
}: {
  readonly groups: readonly FleetGroup[];
  readonly onEdit: (group: FleetGroup) => void;
  readonly onRemove: (group: FleetGroup) => void;
}) => (
  <Card title="Virtual devices" note="processes on this computer that start with a study">
    <ul className={style.groups}>
      {groups.map((group) => (
        <li key={group.name} id={groupElementId(group.name)}>
          <span className={style.text}>
            <b title={group.name}>{group.name}</b>
            <span>
              {plural(group.count, "device")} · {profileText(group)}
            </span>
          </span>
          <Menu position="bottom-end">
            <Menu.Target>
              <Button
                className={style.more ?? ""}
                size="xs"
                px={9}
                aria-label={`Actions for the group ${group.name}`}
              >
                ⋯
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => onEdit(group)}>Edit</Menu.Item>
              <Menu.Item color="red" onClick={() => onRemove(group)}>
                Remove
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </li>
      ))}
    </ul>
  </Card>
);
