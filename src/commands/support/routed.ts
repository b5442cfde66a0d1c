import { createEventFilter } from "../../publishers/selection/event-filter.ts";
import { matching } from "../../routing/matching.ts";
import { isMuted } from "../../routing/mute.ts";
import { silencesOf } from "../../routing/silenced.ts";
import { routesOf, type Route, type RouteNode } from "../../routing/tree.ts";
import type { AlertJson } from "../../schemas/alert-schema.ts";
import type { RepeatedConfig } from "../../schemas/destinations/told.ts";
import type { DestinationConfig } from "../../schemas/destinations/index.ts";
import type { Silence } from "../../schemas/routes.ts";
import type { GivenEvent } from "./given-alerts.ts";

/** Where an alert goes. */
export interface RoutedAlert {
  readonly alert: AlertJson;
  /** Place in the tree of the last route that took it; null: none did. */
  readonly route: string | null;
  readonly told: readonly Told[];
  /** Destinations that are no people, which no route leads to; why it is not told there, null: it is. */
  readonly alertmanagers: readonly { readonly name: string; readonly mismatch: string | null }[];
  /** Every route that was asked, with what kept the alert from it; null: it took it. */
  readonly steps: readonly { readonly route: string; readonly mismatch: string | null }[];
  /** Ids of the silences in force that it is meant by. */
  readonly silences: readonly string[];
}

export interface Told {
  readonly destination: string;
  readonly route: string;
  /** What all alerts of the message have in common. */
  readonly group: Readonly<Record<string, string>>;
  readonly groupWaitMs: number;
  readonly repeatIntervalMs: number;
  /** When it fired, the route was mute. */
  readonly isMuted: boolean;
}

/** Which destinations of events take an event. */
export interface RoutedEvent {
  readonly event: Pick<GivenEvent, "id" | "type" | "resource" | "namespace" | "key" | "severity">;
  /** `refusedBy`: the settings that keep the event from it. */
  readonly destinations: readonly { readonly name: string; readonly refusedBy: readonly string[] }[];
}

/** What says where alerts go. */
interface RoutingInForce {
  readonly tree: readonly RouteNode[];
  readonly alertmanagers: readonly RepeatedConfig[];
  readonly silences: readonly Silence[];
  readonly nowMs: number;
}

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

export function routedEvent(event: GivenEvent, destinations: readonly DestinationConfig[]): RoutedEvent {
  const { id, type, resource, namespace, key, severity } = event;
  return {
    event: { id, type, resource, namespace, key, severity },
    destinations: destinations.map(({ name, conditions }) => ({
      name,
      // One condition at a time says which of them it is.
      refusedBy: Object.entries(conditions)
        .filter(([field, value]) => !createEventFilter({ [field]: value })(event))
        .map(([field]) => (field === "filters" ? "filter" : field)),
    })),
  };
}
