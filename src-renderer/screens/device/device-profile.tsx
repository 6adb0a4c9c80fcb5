import type { DeviceView } from "#contract/views.ts";
import { useNow } from "#renderer/state/use-states.ts";
import { leftText, profileText } from "#renderer/ui/device-words.ts";
import { type Fact, FactList } from "#renderer/ui/fact-list.tsx";
import { ago, day } from "#renderer/ui/format.ts";
import { Card } from "#renderer/ui/page.tsx";

const KINDS: Readonly<Record<DeviceView["kind"], string>> = {
  virtual: "virtual, a process on this computer",
  external: "external, a Flower client",
  board: "board, connected over SSH",
};

/** What the lab knows of a device that is no board. */
export const DeviceProfile = ({ device }: { readonly device: DeviceView }) => {
  const now = useNow(5000);
  const { connected, firstSeen, lastSeen, leftReason, profile } = device;
  const facts: readonly Fact[] = [
    ["Kind", KINDS[device.kind]],
    ["Group", device.group],
    ["Profile", profile === undefined ? undefined : profileText(profile)],
    ["Address", device.address],
    ["Protocol", device.dialect],
    ["First seen", firstSeen === undefined ? "never" : day(firstSeen, now)],
    ["Last seen", connected ? "now" : lastSeen === undefined ? undefined : ago(lastSeen, now)],
    ["Left because", connected || leftReason === undefined ? undefined : leftText(leftReason)],
  ];
  return (
    <Card title="Profile">
      <FactList facts={facts} narrow />
    </Card>
  );
};
