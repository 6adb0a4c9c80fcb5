import { lazy, Suspense } from "react";
import { Link, Route, Router, Switch } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";
import { StudiesScreen } from "./screens/studies.tsx";
import { Frame } from "./ui/frame.tsx";
import { News } from "./ui/news.tsx";
import { Empty, Page } from "./ui/page.tsx";

// What draws charts or checks schemas comes when it is needed: the first paint stays small.
const StudyScreen = lazy(async () => ({ default: (await import("./screens/study/study.tsx")).StudyScreen }));
const FleetScreen = lazy(async () => ({ default: (await import("./screens/fleet/fleet.tsx")).FleetScreen }));

/** Which page is shown where. */
export const App = () => (
  <Router hook={useHashLocation}>
    <News />
    <Frame>
      <Suspense fallback={<Page title="Loading" />}>
        <Switch>
          <Route path="/" component={StudiesScreen} />
          <Route path="/studies/:id">{({ id }) => <StudyScreen key={id} id={id} />}</Route>
          <Route path="/fleet" component={FleetScreen} />
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
