import { createEventFilter } from "../../publishers/selection/event-filter.ts";
import type { DestinationConfig } from "../../schemas/destinations/index.ts";
import type { GivenEvent } from "./given-alerts.ts";

/** Which destinations of events take an event. */
export interface RoutedEvent {
  readonly event: Pick<GivenEvent, "id" | "type" | "resource" | "namespace" | "key" | "severity">;
  /** `refusedBy`: the settings that keep the event from it. */
  readonly destinations: readonly { readonly name: string; readonly refusedBy: readonly string[] }[];
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
