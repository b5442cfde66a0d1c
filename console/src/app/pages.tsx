import type { ComponentType } from "preact";
import type { IconName } from "../ui/icon.tsx";
import { lazy } from "../ui/lazy.tsx";

export interface Page {
  /** First part of the path. */
  readonly id: string;
  readonly title: string;
  /** Its code comes when it is first opened. */
  readonly View: ComponentType;
  /** Shown in the navigation, and where its key leads. */
  readonly nav?: { readonly icon: IconName; readonly keys: string; readonly short?: string };
}

export const PAGES: readonly Page[] = [
  {
    id: "live",
    title: "Live",
    View: lazy(async () => (await import("../pages/live/live-page.tsx")).default),
    nav: { icon: "live", keys: "g l" },
  },
  {
    id: "state",
    title: "State",
    View: lazy(async () => (await import("../pages/state/state-page.tsx")).default),
    nav: { icon: "state", keys: "g s" },
  },
  {
    id: "deployments",
    title: "Deployments",
    View: lazy(async () => (await import("../pages/deployments/deployments-page.tsx")).default),
    nav: { icon: "deployments", keys: "g d", short: "Deploys" },
  },
  {
    id: "cluster",
    title: "Cluster",
    View: lazy(async () => (await import("../pages/cluster/cluster-page.tsx")).default),
    nav: { icon: "cluster", keys: "g c" },
  },
  {
    id: "alerts",
    title: "Alerts",
    View: lazy(async () => (await import("../pages/alerts/alerts-page.tsx")).default),
    nav: { icon: "alerts", keys: "g a" },
  },
  {
    id: "deliveries",
    title: "Deliveries",
    View: lazy(async () => (await import("../pages/deliveries/deliveries-page.tsx")).default),
    nav: { icon: "deliveries", keys: "g v" },
  },
  {
    id: "object",
    title: "Object",
    View: lazy(async () => (await import("../pages/object/object-page.tsx")).default),
  },
  {
    id: "event",
    title: "Event",
    View: lazy(async () => (await import("../pages/event/event-page.tsx")).default),
  },
];

const [HOME] = PAGES;

/** The page of a path; the first of all where there is none. */
export function pageOf(path: readonly string[]): Page | undefined {
  return path.length === 0 ? HOME : PAGES.find(({ id }) => id === path[0]);
}
