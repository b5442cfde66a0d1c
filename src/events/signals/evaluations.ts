import { isJsonObject, type JsonObject } from "../../schemas/json.ts";
import { signal, type Signal } from "./signal.ts";
import { all, appeared, became, is, isNow, turned, vanished, was } from "./transition.ts";

export const EVALUATION_SIGNALS: readonly Signal[] = [
  signal("evaluation.blocked", "WARN", "It waits for room in the cluster", became("Status", "blocked")),
  signal(
    "evaluation.unblocked",
    "INFO",
    "There may be room now",
    all(was("Status", "blocked"), isNow("Status", "pending", "complete")),
  ),
  signal(
    "evaluation.canceled",
    "DEBUG",
    "Another evaluation made it superfluous",
    became("Status", "canceled"),
  ),
  signal(
    "evaluation.failed",
    "ERROR",
    "The scheduler gave up on it; a follow-up comes later",
    became("Status", "failed"),
  ),
  signal(
    "evaluation.placement_failed",
    "WARN",
    "Some allocations found no node; data.explanation says why",
    turned(hasFailedPlacement),
  ),
  signal("evaluation.gone", "DEBUG", "It was garbage collected or deleted", vanished()),
  signal(
    "job.scaled",
    "INFO",
    "The count of a group was set; data.resource.job says of which job",
    appeared(is("TriggeredBy", "job-scaling")),
  ),
];

function hasFailedPlacement(evaluation: JsonObject): boolean {
  const failed = evaluation["FailedTGAllocs"];
  return evaluation["Status"] === "complete" && isJsonObject(failed) && Object.keys(failed).length > 0;
}
