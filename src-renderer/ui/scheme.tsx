import { useMantineColorScheme } from "@mantine/core";
import { useEffect } from "react";
import { showScheme } from "#renderer/lab.ts";

/** Tells the window, where there is one, which colours the page wears. */
export const Scheme = () => {
  const { colorScheme } = useMantineColorScheme();
  useEffect(() => showScheme(colorScheme), [colorScheme]);
  return null;
};
