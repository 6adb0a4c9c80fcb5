import { lazy, Suspense } from "react";
import { Link, Route, Router, Switch } from "wouter";
import { StudiesScreen } from "./screens/studies.tsx";
import { Frame } from "./ui/frame.tsx";
import { useHashLocation } from "./ui/hash-location.ts";
import { News } from "./ui/news.tsx";
import { Empty, Page } from "./ui/page.tsx";

// What draws charts or checks schemas comes when it is needed: the first paint stays small.
const StudyScreen = lazy(async () => ({ default: (await import("./screens/study/study.tsx")).StudyScreen }));
const NewStudyScreen = lazy(async () => ({
  default: (await import("./screens/new-study/new-study.tsx")).NewStudyScreen,
}));
const FleetScreen = lazy(async () => ({ default: (await import("./screens/fleet/fleet.tsx")).FleetScreen }));
const DeviceScreen = lazy(async () => ({
  default: (await import("./screens/fleet/device.tsx")).DeviceScreen,
}));
const DataScreen = lazy(async () => ({ default: (await import("./screens/data/data.tsx")).DataScreen }));
const DatasetScreen = lazy(async () => ({
  default: (await import("./screens/data/dataset.tsx")).DatasetScreen,
}));
const SettingsScreen = lazy(async () => ({
  default: (await import("./screens/settings.tsx")).SettingsScreen,
}));
const CompareScreen = lazy(async () => ({
  default: (await import("./screens/compare/compare.tsx")).CompareScreen,
}));

/** Which page is shown where. */
export const App = () => (
  <Router hook={useHashLocation}>
    <News />
    <Frame>
      <Suspense fallback={<Page title="Loading" />}>
        <Switch>
          <Route path="/" component={StudiesScreen} />
          <Route path="/studies/:id">{({ id }) => <StudyScreen key={id} id={id} />}</Route>
          <Route path="/new" component={NewStudyScreen} />
          <Route path="/fleet" component={FleetScreen} />
          <Route path="/fleet/:device">{({ device }) => <DeviceScreen key={device} />}</Route>
          <Route path="/data" component={DataScreen} />
          <Route path="/data/:name">{({ name }) => <DatasetScreen key={name} />}</Route>
          <Route path="/settings" component={SettingsScreen} />
          <Route path="/compare" component={CompareScreen} />
          <Route>
            <Page title="No such page">
              <Empty
                title="There is nothing at this address"
                text="The list of studies is a good place to go on."
              >
                <Link href="/">Studies</Link>
              </Empty>
            </Page>
          </Route>
        </Switch>
      </Suspense>
    </Frame>
  </Router>
);
