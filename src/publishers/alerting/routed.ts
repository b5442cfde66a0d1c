import { matching } from "../../routing/matching.ts";
import { isMuted } from "../../routing/mute.ts";
import { silencesOf } from "../../routing/silenced.ts";
import { routesOf, type Route, type RouteNode } from "../../routing/tree.ts";
import type { AlertJson } from "../../schemas/alert-schema.ts";
import type { RoutedAlert, RouteJson, Told } from "../../schemas/alert-routes.ts";
import type { RepeatedConfig } from "../../schemas/destinations/told.ts";
import type { Silence } from "../../schemas/routes.ts";

/** What says where alerts go. */
export interface RoutingInForce {
  readonly tree: readonly RouteNode[];
  readonly alertmanagers: readonly RepeatedConfig[];
  readonly silences: readonly Silence[];
  readonly nowMs: number;
}

/** Which routes an alert takes, and why no other. */
export function routedAlert(
  alert: AlertJson,
  { tree, alertmanagers, silences, nowMs }: RoutingInForce,
): RoutedAlert {
  const { routes, steps } = routesOf(tree, alert);
  const firedMs = Date.parse(alert.firedAt ?? alert.startsAt);
  return {
    alert,
    route: steps.findLast(({ mismatch }) => mismatch === undefined)?.route ?? null,
    told: routes.flatMap((route) => toldBy(route, alert, firedMs)),
    alertmanagers: alertmanagers.map(({ name, settings }) => ({
      name,
      mismatch: matching(settings)(alert) ?? null,
    })),
    steps: steps.map(({ route, mismatch = null }) => ({ route, mismatch })),
    silences: silencesOf(silences, alert, nowMs).map(({ id }) => id),
  };
}

function toldBy(route: Route, { labels }: AlertJson, firedMs: number): Told[] {
  const group: Record<string, string> = {};
  for (const name of route.groupBy) if (labels[name] !== undefined) group[name] = labels[name];
  const { id, groupWaitMs, repeatIntervalMs, mute } = route;
  const muted = isMuted(mute, firedMs);
  return route.to.map((destination) => ({
    destination,
    route: id,
    group,
    groupWaitMs,
    repeatIntervalMs,
    isMuted: muted,
  }));
}

/** The tree in the order in which its routes are asked. */
export function routesJson(tree: readonly RouteNode[], nowMs: number, depth = 0): RouteJson[] {
  return tree.flatMap(({ route, matchers, goesOn, children }) => {
    const { id, to, groupBy, groupWaitMs, groupIntervalMs, repeatIntervalMs, mute } = route;
    const own = {
      route: id,
      depth,
      matchers,
      to: [...to],
      groupBy: [...groupBy],
      groupWaitMs,
      groupIntervalMs,
      repeatIntervalMs,
      isMuted: isMuted(mute, nowMs),
      goesOn,
    };
    return [own, ...routesJson(children, nowMs, depth + 1)];
  });
}
