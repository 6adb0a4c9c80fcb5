import { type ComponentType, lazy, Suspense } from "react";
import { Link, Route, Router, Switch } from "wouter";
import { StudiesScreen } from "./screens/studies/studies.tsx";
import { Frame } from "./ui/frame.tsx";
import { useHashLocation } from "./ui/hash-location.ts";
import { News } from "./ui/news.tsx";
import { Empty, Page } from "./ui/page.tsx";

/**
 * A screen that is loaded when it is shown. One that is there already is shown at once: React would otherwise keep up
 * "Loading" for a third of a second.
 */
const later = <P,>(load: () => Promise<{ default: ComponentType<P> }>) => {
  let there: { default: ComponentType<P> } | undefined;
  const bring = async () => {
    there = await load();
    return there;
  };
  const atOnce = (module: { default: ComponentType<P> }) =>
    // biome-ignore lint/suspicious/noThenProperty: the one thing that React takes without waiting
    ({ then: (done: (loaded: typeof module) => void) => done(module) }) as Promise<typeof module>;
  return { bring, Screen: lazy(() => (there === undefined ? bring() : atOnce(there))) };
};
// What draws charts or checks schemas comes when it is needed: the first paint stays small.
const study = later(async () => ({ default: (await import("./screens/study/study.tsx")).StudyScreen }));
const newStudy = later(async () => ({
  default: (await import("./screens/new-study/new-study.tsx")).NewStudyScreen,
}));
const fleet = later(async () => ({ default: (await import("./screens/fleet/fleet.tsx")).FleetScreen }));
const oneDevice = later(async () => ({
  default: (await import("./screens/device/device.tsx")).DeviceScreen,
}));
const data = later(async () => ({ default: (await import("./screens/data/data.tsx")).DataScreen }));
const dataset = later(async () => ({ default: (await import("./screens/data/dataset.tsx")).DatasetScreen }));
const settings = later(async () => ({
  default: (await import("./screens/settings/settings.tsx")).SettingsScreen,
}));
const compare = later(async () => ({
  default: (await import("./screens/compare/compare.tsx")).CompareScreen,
}));

const BY_PATH: readonly (readonly [RegExp, () => Promise<unknown>])[] = [
  [/^#?\/studies\//, study.bring],
  [/^#?\/new/, newStudy.bring],
  [/^#?\/fleet\//, oneDevice.bring],
  [/^#?\/fleet/, fleet.bring],
  [/^#?\/data\//, dataset.bring],
  [/^#?\/data/, data.bring],
  [/^#?\/settings/, settings.bring],
  [/^#?\/compare/, compare.bring],
];

/** Loads what the page at this address is made of. */
export const loadScreen = async (hash: string): Promise<void> => {
  const found = BY_PATH.find(([path]) => path.test(hash));
  await found?.[1]();
};

/** Which page is shown where. */
export const App = () => (
  <Router hook={useHashLocation}>
    <News />
    <Frame>
      <Suspense fallback={<Page title="Loading" />}>
        <Switch>
          <Route path="/" component={StudiesScreen} />
          <Route path="/studies/:id">{({ id }) => <study.Screen key={id} id={id} />}</Route>
          <Route path="/new" component={newStudy.Screen} />
          <Route path="/fleet" component={fleet.Screen} />
          <Route path="/fleet/:device">{({ device }) => <oneDevice.Screen key={device} />}</Route>
          <Route path="/data" component={data.Screen} />
          <Route path="/data/:name">{({ name }) => <dataset.Screen key={name} />}</Route>
          <Route path="/settings" component={settings.Screen} />
          <Route path="/compare" component={compare.Screen} />
          <Route>
            <Page title="Page not found">
              <Empty title="Nothing is at this address" text="Continue from the list of studies.">
                <Link href="/">Studies</Link>
              </Empty>
            </Page>
          </Route>
        </Switch>
      </Suspense>
    </Frame>
  </Router>
);
