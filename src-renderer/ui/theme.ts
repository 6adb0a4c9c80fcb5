import { createTheme } from "@mantine/core";

/** Colours and fonts are in theme.css; here is only how parts behave. */
export const theme = createTheme({
  defaultRadius: "md",
  components: {
    Button: { defaultProps: { size: "sm", variant: "default" } },
    // A menu holds its items and nothing else; the first has the focus when it opens.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    // Locking the page's scroll would put a style element into it.
    Modal: { defaultProps: { lockScroll: false, centered: true, transitionProps: { duration: 120 } } },
    Drawer: { defaultProps: { lockScroll: false } },
    Tooltip: { defaultProps: { openDelay: 300, events: { hover: true, focus: true, touch: true } } },
    Anchor: { defaultProps: { underline: "always" } },
    Select: { defaultProps: { allowDeselect: false, checkIconPosition: "right" } },
    NumberInput: { defaultProps: { clampBehavior: "none" } },
    Table: { defaultProps: { verticalSpacing: 8 } },
  },
});
