import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure, Skeleton } from "../ui/panel.tsx";
import type { IconName } from "../ui/icon.tsx";

type Load = () => Promise<{ default: ComponentType }>;

export interface Page {
  /** First part of the path. */
  readonly id: string;
  readonly title: string;
  readonly load: Load;
  /** Shown in the navigation, and where its key leads. */
  readonly nav?: { readonly icon: IconName; readonly keys: string; readonly short?: string };
}

export const PAGES: readonly Page[] = [
  {
    id: "live",
    title: "Live",
    load: () => import("../pages/live/live-page.tsx"),
    nav: { icon: "live", keys: "g l" },
  },
  {
    id: "state",
    title: "State",
    load: () => import("../pages/state/state-page.tsx"),
    nav: { icon: "state", keys: "g s" },
  },
  {
    id: "deployments",
    title: "Deployments",
    load: () => import("../pages/deployments/deployments-page.tsx"),
    nav: { icon: "deployments", keys: "g d", short: "Deploys" },
  },
  {
    id: "cluster",
    title: "Cluster",
    load: () => import("../pages/cluster/cluster-page.tsx"),
    nav: { icon: "cluster", keys: "g c" },
  },
  {
    id: "alerts",
    title: "Alerts",
    load: () => import("../pages/alerts/alerts-page.tsx"),
    nav: { icon: "alerts", keys: "g a" },
  },
  {
    id: "deliveries",
    title: "Deliveries",
    load: () => import("../pages/deliveries/deliveries-page.tsx"),
    nav: { icon: "deliveries", keys: "g v" },
  },
  { id: "object", title: "Object", load: () => import("../pages/object/object-page.tsx") },
  { id: "event", title: "Event", load: () => import("../pages/event/event-page.tsx") },
];

const [HOME] = PAGES;

/** The page of a path; the first of all where there is none. */
export function pageOf(path: readonly string[]): Page | undefined {
  return path.length === 0 ? HOME : PAGES.find(({ id }) => id === path[0]);
}

const loaded = new Map<string, ComponentType>();

/** A page, whose code comes when it is first opened. */
export function PageView({ page }: { page: Page }) {
  const [, draw] = useState(0);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (loaded.has(page.id)) return;
    page.load().then(
      (module) => {
        loaded.set(page.id, module.default);
        setError(undefined);
        draw((times) => times + 1);
      },
      (reason: unknown) => setError(reason),
    );
  }, [page.id]);
  const View = loaded.get(page.id);
  if (View !== undefined) return <View key={page.id} />;
  if (error === undefined) return <Skeleton lines={8} />;
  // A bridge of another version has other files: the page itself must come anew.
  return <Failure error="This part of the page could not be loaded." retry={() => location.reload()} />;
}
