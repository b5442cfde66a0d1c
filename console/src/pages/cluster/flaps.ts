import type { FeedEvent } from "nomad-changefeed-client";
import { isChange, type FeedItem } from "../../feed/event-facts.ts";
import { count } from "../../words/names.ts";

/** Signals that tell of going down and coming up again. */
export const FLAP_SIGNALS = [
  "node.down",
  "node.disconnected",
  "node.ready",
  "allocation.failed",
  "allocation.lost",
  "task.restarted",
] as const;

/** How often a node changed between up and down. */
export interface NodeFlaps {
  readonly name: string;
  readonly downs: number;
  readonly ups: number;
}

/** How often allocations of a job went down, to be started again. */
export interface JobFlaps {
  readonly namespace: string;
  readonly job: string;
  readonly restarts: number;
  readonly failures: number;
  /** The allocation's name that did it most often, and how often. */
  readonly worst: string;
  readonly worstTimes: number;
  /** RFC 3339: when last. */
  readonly last: string;
}

/** What goes up and down again and again. */
export interface Flaps {
  /** By subject. */
  readonly nodes: ReadonlyMap<string, NodeFlaps>;
  /** Worst first. */
  readonly jobs: readonly JobFlaps[];
}

/** Down, up and down again. */
const NODE_CHANGES = 3;
/** Of allocations of one name: a bad version, which each fails once with, is no flapping. */
const ALLOCATION_DOWNS = 3;

/** @param events in the order in which they were recorded, with their changes. */
export function flapsOf(events: readonly FeedEvent[]): Flaps {
  const nodes = new Map<string, NodeFlaps & { readonly isUp: boolean | undefined }>();
  const jobs = new Map<string, { flaps: JobFlaps; byName: Map<string, number> }>();
  for (const event of events as readonly FeedItem[]) {
    if (!isChange(event)) continue;
    if (event.data.resource.type === "nodes") takeNode(nodes, event);
    else if (event.data.resource.type === "allocations") takeAllocation(jobs, event);
  }
  return {
    nodes: new Map(
      [...nodes]
        .filter(([, { downs, ups }]) => downs + ups >= NODE_CHANGES)
        .map(([subject, { name, downs, ups }]) => [subject, { name, downs, ups }]),
    ),
    jobs: [...jobs.values()]
      .map(({ flaps }) => flaps)
      .filter(({ worstTimes }) => worstTimes >= ALLOCATION_DOWNS)
      .toSorted((one, other) => other.restarts + other.failures - (one.restarts + one.failures)),
  };
}

type Change = Extract<FeedItem, { data: { op: string } }>;

function takeNode(
  nodes: Map<string, NodeFlaps & { readonly isUp: boolean | undefined }>,
  { subject, data: { signals, resource } }: Change,
): void {
  const has = (name: string) => signals.includes(name);
  const name = resource.name ?? resource.id;
  const { downs, ups, isUp } = nodes.get(subject) ?? { downs: 0, ups: 0, isUp: undefined };
  // A node that is new has not come back.
  if (has("node.ready") && isUp !== true) {
    nodes.set(subject, { name, downs, ups: has("node.registered") ? ups : ups + 1, isUp: true });
  } else if ((has("node.down") || has("node.disconnected")) && isUp !== false) {
    nodes.set(subject, { name, downs: downs + 1, ups, isUp: false });
  }
}

function takeAllocation(
  jobs: Map<string, { flaps: JobFlaps; byName: Map<string, number> }>,
  { time, data }: Change,
): void {
  const { namespace, job = "", name = "", id } = data.resource;
  const restarts = restartsIn(data);
  const failures = data.signals.some((signal) => /^allocation\.(failed|lost)$/.test(signal)) ? 1 : 0;
  if (restarts + failures === 0) return;
  const key = `${namespace}/${job}`;
  const { flaps, byName } = jobs.get(key) ?? { flaps: nothingOf(namespace, job), byName: new Map() };
  // Those that follow each other in a place of a group have one name.
  const slot = name === "" ? id : name;
  const downs = (byName.get(slot) ?? 0) + restarts + failures;
  byName.set(slot, downs);
  const isWorst = downs > flaps.worstTimes;
  jobs.set(key, {
    byName,
    flaps: {
      ...flaps,
      restarts: flaps.restarts + restarts,
      failures: flaps.failures + failures,
      worst: isWorst ? slot : flaps.worst,
      worstTimes: isWorst ? downs : flaps.worstTimes,
      last: time,
    },
  });
}

function nothingOf(namespace: string, job: string): JobFlaps {
  return { namespace, job, restarts: 0, failures: 0, worst: "", worstTimes: 0, last: "" };
}

const RESTARTS = /^\/TaskStates\/[^/]+\/Restarts$/;

/** One event can tell of several. */
function restartsIn({ signals, changes = [] }: Change["data"]): number {
  if (!signals.some((signal) => signal === "task.restarted")) return 0;
  const counted = changes
    .filter(({ path }) => RESTARTS.test(path))
    .reduce((sum, { from, to }) => sum + Math.max(0, numberIn(to) - numberIn(from)), 0);
  return Math.max(1, counted);
}

function numberIn(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** `down twice, up once` */
export function flapWords({ downs, ups }: NodeFlaps): string {
  return `down ${times(downs)}, up ${times(ups)}`;
}

/** `12 restarts, 2 failures` */
export function jobFlapWords({ restarts, failures }: JobFlaps): string {
  return [
    ...(restarts > 0 ? [count(restarts, "restart")] : []),
    ...(failures > 0 ? [count(failures, "failure")] : []),
  ].join(", ");
}

function times(number: number): string {
  return ["never", "once", "twice"][number] ?? `${number} times`;
}
