import { SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { Card, Small } from "#renderer/ui/page.tsx";
import style from "./appearance.module.css";

export const Appearance = () => {
  // Pausing transitions during the change would put a style element into the page.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <Card title="Appearance">
      <SegmentedControl
        value={colorScheme}
        onChange={(value) => setColorScheme(value as typeof colorScheme)}
        data={[
          { value: "auto", label: "System" },
          { value: "light", label: "Light" },
          { value: "dark", label: "Dark" },
        ]}
        aria-label="Colour scheme"
      />
      <p className={style.note}>
        <Small>
          {window.fedfleet === undefined
            ? "This browser remembers your choice."
            : "Fedfleet remembers your choice."}
        </Small>
      </p>
    </Card>
  );
};
