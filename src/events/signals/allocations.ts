import type { JsonObject } from "../../schemas/json.ts";
import { signal, type Signal } from "./signal.ts";
import { all, appeared, became, filled, inside, is, isNow, turned, vanished, was } from "./transition.ts";

export const ALLOCATION_SIGNALS: readonly Signal[] = [
  signal(
    "allocation.placed",
    "INFO",
    "A new allocation that is to run",
    appeared(is("DesiredStatus", "run")),
  ),
  signal(
    "allocation.replacement_placed",
    "INFO",
    "A new allocation in place of one that failed or was lost",
    appeared(isReplacement),
  ),
  signal("allocation.running", "INFO", "Its tasks run", became("ClientStatus", "running")),
  signal("allocation.completed", "INFO", "It ended as it should", became("ClientStatus", "complete")),
  signal("allocation.failed", "ERROR", "A task of it failed for good", became("ClientStatus", "failed")),
  signal("allocation.lost", "ERROR", "Its node is down", became("ClientStatus", "lost")),
  signal(
    "allocation.unknown",
    "WARN",
    "Its node is disconnected; it may still run",
    became("ClientStatus", "unknown"),
  ),
  signal(
    "allocation.reconnected",
    "INFO",
    "Its node is back and it runs",
    all(was("ClientStatus", "unknown"), isNow("ClientStatus", "running")),
  ),
  signal(
    "allocation.stop_requested",
    "INFO",
    "It is to stop; data.after.DesiredDescription says why",
    became("DesiredStatus", "stop"),
  ),
  signal("allocation.evicted", "WARN", "It is to make room", became("DesiredStatus", "evict")),
  signal(
    "allocation.preempted",
    "WARN",
    "An allocation of higher priority takes its place",
    turned(filled("PreemptedByAllocation")),
  ),
  signal(
    "allocation.rescheduled",
    "WARN",
    "It failed or was lost, and another takes over",
    turned(isRescheduled),
  ),
  signal(
    "allocation.migrating",
    "INFO",
    "It is to move off its node",
    turned((stub) => inside(stub, "DesiredTransition", "Migrate") === true),
  ),
  signal(
    "allocation.healthy",
    "INFO",
    "Its deployment counts it as healthy",
    turned((stub) => inside(stub, "DeploymentStatus", "Healthy") === true),
  ),
  signal(
    "allocation.unhealthy",
    "WARN",
    "Its deployment counts it as unhealthy",
    turned((stub) => inside(stub, "DeploymentStatus", "Healthy") === false),
  ),
  signal("allocation.gone", "DEBUG", "It was garbage collected, or purged with its job", vanished()),
];

function isReplacement(allocation: JsonObject): boolean {
  const events = inside(allocation, "RescheduleTracker", "Events");
  return Array.isArray(events) && events.length > 0;
}

/** NextAllocation is also set where an update or a drain replaces an allocation. */
function isRescheduled(allocation: JsonObject): boolean {
  if (allocation["DesiredDescription"] === "alloc was rescheduled because it failed") return true;
  const ended = ["failed", "lost", "unknown"].some((status) => allocation["ClientStatus"] === status);
  return ended && filled("NextAllocation")(allocation);
}
