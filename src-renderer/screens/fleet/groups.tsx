import { Button, Menu } from "@mantine/core";
import type { FleetGroup } from "#contract/views.ts";
import { plural } from "#renderer/ui/format.ts";
import { Card } from "#renderer/ui/page.tsx";
import style from "./fleet.module.css";
import { profileText } from "./fleet-rows.ts";

/** Where the focus goes back to after a dialog that the group's menu has opened. */
export const groupId = (group: string): string => `group-${group}`;

/** The groups of virtual devices: what each is like, and what can be done with it. */
export const Groups = ({
  groups,
  onChange,
  onRemove,
}: {
  readonly groups: readonly FleetGroup[];
  readonly onChange: (group: FleetGroup) => void;
  readonly onRemove: (group: FleetGroup) => void;
}) => (
  <Card title="Virtual groups" note="processes on this computer, started with a study">
    <ul className={style.groups}>
      {groups.map((group) => (
        <li key={group.name} id={groupId(group.name)}>
          <span className={style.groupText}>
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
                aria-label={`What to do with the group ${group.name}`}
              >
                ⋯
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => onChange(group)}>Change</Menu.Item>
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
