import "./ui/mantine-styles.ts";
import "./ui/theme.css";
import { MantineProvider } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { connectLab } from "./lab.ts";
import { createStates } from "./state/states.ts";
import { StatesContext } from "./state/use-states.ts";
import { Scheme } from "./ui/scheme.tsx";
import { theme } from "./ui/theme.ts";
import { Toasts } from "./ui/toasts.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");

const states = createStates(await connectLab());
void states.start();

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

// Charts are a chunk of their own: it is there before somebody opens a study.
requestIdleCallback(() => {
  void import("./screens/study/study.tsx").then(() => import("./screens/new-study/new-study.tsx"));
});
