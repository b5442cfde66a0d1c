import { isChange, type FeedItem } from "../../feed/event-facts.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";

/** From when something happened in Nomad to when it was in the log, ms. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const EVENTS = 1000;
const EVERY_MS = 15_000;

/** By scope, of the latest events whose time Nomad itself tells. */
export function useLatencies(): ReadonlyMap<string, Latency> {
  const { value } = useLoaded(
    "latencies",
    async (signal) => latenciesOf((await api(signal).history({ limit: EVENTS })).events as FeedItem[]),
    { everyMs: EVERY_MS },
  );
  return value ?? new Map<string, Latency>();
}

function latenciesOf(events: readonly FeedItem[]): ReadonlyMap<string, Latency> {
  const scopes = new Map<string, number[]>();
  for (const event of events) {
    if (!isChange(event)) continue;
    const { resource, observed } = event.data;
    if (observed.mode !== "live" || observed.timeBasis === "observed") continue;
    const ms = Math.max(0, Date.parse(event.recordedtime) - Date.parse(event.time));
    const scope = `${resource.type}/${resource.namespace}`;
    const all = scopes.get(scope);
    if (all === undefined) scopes.set(scope, [ms]);
    else all.push(ms);
  }
  return new Map([...scopes].map(([scope, all]) => [scope, quantilesOf(all)]));
}

function quantilesOf(all: readonly number[]): Latency {
  const sorted = all.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
