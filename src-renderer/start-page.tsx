import "./ui/mantine-styles.ts";
import "./ui/theme.css";
import { MantineProvider } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, loadScreen } from "./app.tsx";
import { connectLab } from "./lab.ts";
import { createStates } from "./state/states.ts";
import { StatesContext } from "./state/use-states.ts";
import { Scheme } from "./ui/scheme.tsx";
import { theme } from "./ui/theme.ts";
import { Toasts } from "./ui/toasts.tsx";

/** How long the first drawing waits for the page's code: a page that says "Loading" would stay longer than needed. */
const PATIENCE_MS = 1000;

/** Connects to the lab and draws the page. */
export const startPage = async (): Promise<void> => {
  const root = document.getElementById("root");
  if (root === null) throw new Error("index.html has no element #root");

  const screen = loadScreen(location.hash).catch(() => {});
  const states = createStates(await connectLab());
  void states.start();
  const [, study] = /^#\/studies\/([^/?]+)/.exec(location.hash) ?? [];
  if (study !== undefined) void states.openStudy(study);
  await Promise.race([screen, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);

  createRoot(root).render(
    <StrictMode>
      {/* Its style elements would need a hole in the security policy: theme.css has what they would say. */}
      <MantineProvider
        theme={theme}
        withCssVariables={false}
        withGlobalClasses={false}
        defaultColorScheme="auto"
      >
        <Scheme />
        <StatesContext value={states}>
          <Toasts>
            <App />
          </Toasts>
        </StatesContext>
      </MantineProvider>
    </StrictMode>,
  );

  // Charts and the form are chunks of their own. They are loaded before somebody opens them, but only after the page that
  // was opened is drawn.
  setTimeout(() => {
    requestIdleCallback(async () => {
      await import("./screens/study/study.tsx");
      await import("./screens/new-study/new-study.tsx");
    });
  }, 2000);
};
