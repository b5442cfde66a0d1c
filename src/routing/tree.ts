import type { AlertJson } from "../schemas/alert-schema.ts";
import type { Matchers, MuteWindow, RouteSettings } from "../schemas/routes.ts";
import { matching, type Matching } from "./matching.ts";

/** Where alerts go, and how they are told of. */
export interface Route {
  /** Its place in the tree: "0", and its first child "0.0". */
  readonly id: string;
  readonly to: readonly string[];
  readonly groupBy: readonly string[];
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly mute: readonly MuteWindow[];
}

export interface RouteNode {
  readonly route: Route;
  /** Which alerts it takes, as it was written. */
  readonly matchers: Matchers;
  readonly mismatch: Matching;
  readonly goesOn: boolean;
  readonly children: readonly RouteNode[];
}

/** As Alertmanager's, but for the groups: one of each job, and of each node. */
const DEFAULTS: Omit<Route, "id"> = {
  to: [],
  groupBy: ["cluster", "region", "namespace", "job", "node"],
  groupWaitMs: 30_000,
  groupIntervalMs: 5 * 60_000,
  repeatIntervalMs: 4 * 3_600_000,
  mute: [],
};

/**
 * The tree of routes as it is used: what a route does not say is as in the one around it. Without routes everything goes
 * to `everybody`.
 * @throws InvalidFilter
 */
export function routeTree(
  settings: readonly RouteSettings[],
  everybody: readonly string[] = [],
): RouteNode[] {
  if (settings.length > 0 || everybody.length === 0) return nodes(settings, DEFAULTS, "");
  return nodes([{ to: everybody, continue: false }], DEFAULTS, "");
}

function nodes(settings: readonly RouteSettings[], around: Omit<Route, "id">, prefix: string): RouteNode[] {
  return settings.map((given, position) => {
    const route: Route = {
      id: `${prefix}${position}`,
      to: given.to ?? around.to,
      groupBy: given.groupBy ?? around.groupBy,
      groupWaitMs: given.groupWait ?? around.groupWaitMs,
      groupIntervalMs: given.groupInterval ?? around.groupIntervalMs,
      repeatIntervalMs: given.repeatInterval ?? around.repeatIntervalMs,
      mute: given.mute ?? around.mute,
    };
    const { rules, minSeverity, where, filter } = given;
    return {
      route,
      matchers: { rules, minSeverity, where, filter },
      mismatch: matching(given),
      goesOn: given.continue,
      children: nodes(given.routes ?? [], route, `${route.id}.`),
    };
  });
}

/** What became of an alert at one route. */
export interface Step {
  readonly route: string;
  /** Undefined: it came this way. */
  readonly mismatch: string | undefined;
}

/** The routes that an alert takes, and why it takes no other. */
export function routesOf(tree: readonly RouteNode[], alert: AlertJson): { routes: Route[]; steps: Step[] } {
  const routes: Route[] = [];
  const steps: Step[] = [];
  for (const { route, mismatch, goesOn, children } of tree) {
    const why = mismatch(alert);
    steps.push({ route: route.id, mismatch: why });
    if (why !== undefined) continue;
    const below = routesOf(children, alert);
    steps.push(...below.steps);
    const isTakenBelow = below.steps.some((step) => step.mismatch === undefined);
    // Where one of those within takes it, also to tell nobody, that holds.
    if (isTakenBelow) routes.push(...below.routes);
    else if (route.to.length > 0) routes.push(route);
    if (!goesOn) break;
  }
  return { routes, steps };
}
