import { stringField, type JsonObject } from "../../schemas/json.ts";
import { signal, type Signal } from "./signal.ts";
import {
  all,
  any,
  appeared,
  became,
  inAny,
  inside,
  isNow,
  moved,
  vanished,
  was,
  type Predicate,
  type Transition,
} from "./transition.ts";

const DRAIN_BEGAN = any(became("Drain", true), moved(drainStart));
const DRAIN_ENDED = all(isNow("Drain", false), any(was("Drain", true), moved(drainStart)));

export const NODE_SIGNALS: readonly Signal[] = [
  signal("node.registered", "INFO", "A node that was not there before", appeared()),
  signal(
    "node.initializing",
    "INFO",
    "The node registered and has not sent a heartbeat yet",
    became("Status", "initializing"),
  ),
  signal("node.ready", "INFO", "The node is up", became("Status", "ready")),
  signal("node.down", "ERROR", "The node missed its heartbeats, or said goodbye", became("Status", "down")),
  signal(
    "node.disconnected",
    "ERROR",
    "The node missed its heartbeats; its allocations may still run",
    became("Status", "disconnected"),
  ),
  signal("node.draining", "INFO", "A drain of the node began", DRAIN_BEGAN),
  signal(
    "node.drain_complete",
    "INFO",
    "The drain ended: nothing is left on the node",
    all(DRAIN_ENDED, drainIs("complete")),
  ),
  signal("node.drain_canceled", "INFO", "The drain was called off", all(DRAIN_ENDED, drainIs("canceled"))),
  signal(
    "node.ineligible",
    "INFO",
    "Nothing more is placed on the node",
    became("SchedulingEligibility", "ineligible"),
  ),
  signal(
    "node.eligible",
    "INFO",
    "The node takes allocations again",
    all(was("SchedulingEligibility", "ineligible"), isNow("SchedulingEligibility", "eligible")),
  ),
  signal(
    "node.driver_unhealthy",
    "WARN",
    "A task driver that worked, or is there, does not work",
    inAny(["Drivers"], driverFailed),
  ),
  signal(
    "node.driver_healthy",
    "INFO",
    "A task driver works again",
    inAny(["Drivers"], all(was("Healthy", false), isNow("Healthy", true))),
  ),
  signal(
    "node.version_changed",
    "INFO",
    "Another version of Nomad runs on the node",
    moved((node) => stringField(node, "Version")),
  ),
  signal("node.gone", "INFO", "The node was purged, or collected after being down", vanished()),
];

function drainStart(node: JsonObject): string | undefined {
  const started = inside(node, "LastDrain", "StartedAt");
  return typeof started === "string" ? started : undefined;
}

function drainIs(status: string): Predicate {
  return ({ after }) => inside(after, "LastDrain", "Status") === status;
}

/** A driver that was never found is not healthy either, and nobody misses it. */
function driverFailed({ before, after }: Transition): boolean {
  if (after === undefined || after["Healthy"] === true) return false;
  if (before?.["Healthy"] === true) return true;
  return after["Detected"] === true && before?.["Detected"] !== true;
}
