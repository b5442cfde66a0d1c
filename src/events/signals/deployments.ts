import { integerText, isJsonObject, type JsonObject } from "../../schemas/json.ts";
import { signal, type Signal } from "./signal.ts";
import {
  all,
  appeared,
  became,
  countOf,
  inAny,
  inside,
  is,
  isNow,
  mentions,
  moved,
  turned,
  vanished,
  was,
} from "./transition.ts";

export const DEPLOYMENT_SIGNALS: readonly Signal[] = [
  signal("deployment.started", "INFO", "A new deployment", appeared()),
  signal(
    "deployment.progressed",
    "DEBUG",
    "Counts of placed, healthy or unhealthy allocations moved",
    moved(progress),
  ),
  signal(
    "deployment.needs_promotion",
    "WARN",
    "Its canaries are healthy and wait for somebody to promote them",
    turned(awaitsPromotion),
  ),
  signal(
    "deployment.promoted",
    "INFO",
    "The canaries of a group were promoted",
    inAny(["TaskGroups"], became("Promoted", true)),
  ),
  signal("deployment.succeeded", "INFO", "It completed", became("Status", "successful")),
  signal(
    "deployment.failed",
    "ERROR",
    "It failed; data.after.StatusDescription says why",
    became("Status", "failed"),
  ),
  signal(
    "deployment.auto_reverted",
    "WARN",
    "It failed and Nomad goes back to the last stable version of the job",
    turned(isAutoReverted),
  ),
  signal(
    "deployment.cancelled",
    "INFO",
    "A newer version or a stop of the job took its place",
    became("Status", "cancelled"),
  ),
  signal("deployment.paused", "INFO", "Somebody paused it", became("Status", "paused")),
  signal(
    "deployment.resumed",
    "INFO",
    "It goes on after a pause",
    all(was("Status", "paused"), isNow("Status", "running")),
  ),
  signal("deployment.blocked", "INFO", "It waits for other regions", became("Status", "blocked")),
  signal("deployment.gone", "DEBUG", "It was garbage collected, or purged with its job", vanished()),
];

const COUNTS = ["PlacedAllocs", "HealthyAllocs", "UnhealthyAllocs"];

/** The groups' counts, sorted by group: Nomad writes maps in any order. */
function progress(deployment: JsonObject): string {
  const groups = deployment["TaskGroups"];
  const lines = Object.entries(isJsonObject(groups) ? groups : {}).map(
    ([name, group]) => `${name} ${COUNTS.map((field) => integerText(inside(group, field))).join(" ")}`,
  );
  return lines.toSorted().join("\n");
}

function awaitsPromotion(deployment: JsonObject): boolean {
  if (!mentions("StatusDescription", "requires manual promotion")(deployment)) return false;
  const groups = deployment["TaskGroups"];
  return (
    isJsonObject(groups) &&
    Object.values(groups).every(
      (group) => !isJsonObject(group) || countOf(group, "HealthyAllocs") >= countOf(group, "DesiredCanaries"),
    )
  );
}

function isAutoReverted(deployment: JsonObject): boolean {
  return (
    is("Status", "failed")(deployment) &&
    mentions("StatusDescription", "rolling back to job version")(deployment)
  );
}
