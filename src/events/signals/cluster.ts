import type { JsonObject } from "../../schemas/json.ts";
import { signal, type Signal } from "./signal.ts";
import {
  all,
  any,
  appeared,
  became,
  countOf,
  inAny,
  inside,
  isNow,
  moved,
  vanished,
  was,
  type Transition,
} from "./transition.ts";

export const SERVER_SIGNALS: readonly Signal[] = [
  signal("server.joined", "INFO", "A server that was not there before", appeared()),
  signal(
    "server.failed",
    "ERROR",
    "The other servers do not hear of it any more",
    became("Status", "failed"),
  ),
  signal(
    "server.left",
    "INFO",
    "It said goodbye",
    all(any(was("Status", "alive"), was("Status", "leaving")), isNow("Status", "left")),
  ),
  signal(
    "server.back",
    "INFO",
    "It is heard of again",
    all(any(was("Status", "failed"), was("Status", "left")), isNow("Status", "alive")),
  ),
  signal("server.leads", "INFO", "It leads the region's servers now", became("Leader", true)),
  signal(
    "server.deposed",
    "WARN",
    "It does not lead any more",
    all(was("Leader", true), isNow("Leader", false)),
  ),
  signal("server.version_changed", "INFO", "Another version of Nomad runs there", moved(buildOf)),
  signal("server.gone", "INFO", "It is no member any more", vanished()),
];

export const AUTOPILOT_SIGNALS: readonly Signal[] = [
  signal("autopilot.unhealthy", "ERROR", "Not all servers are healthy", became("Healthy", false)),
  signal(
    "autopilot.healthy",
    "INFO",
    "All servers are healthy again",
    all(was("Healthy", false), isNow("Healthy", true)),
  ),
  signal(
    "autopilot.no_tolerance",
    "WARN",
    "No further server may fail without an outage",
    ({ before, after }) =>
      before !== undefined &&
      after !== undefined &&
      countOf(before, "FailureTolerance") > 0 &&
      countOf(after, "FailureTolerance") <= 0,
  ),
  signal(
    "autopilot.server_unhealthy",
    "WARN",
    "A server is not healthy any more",
    inAny(["Servers"], all(was("Healthy", true), isNow("Healthy", false))),
  ),
  signal(
    "autopilot.server_healthy",
    "INFO",
    "A server is healthy again",
    inAny(["Servers"], all(was("Healthy", false), isNow("Healthy", true))),
  ),
];

export const SCHEDULER_SIGNALS: readonly Signal[] = [
  signal("scheduler.changed", "INFO", "Somebody configured the scheduler", isUpdate),
  signal("scheduler.paused", "WARN", "No evaluation is worked on", became("PauseEvalBroker", true)),
  signal(
    "scheduler.resumed",
    "INFO",
    "Evaluations are worked on again",
    all(was("PauseEvalBroker", true), isNow("PauseEvalBroker", false)),
  ),
  signal(
    "scheduler.rejects_jobs",
    "WARN",
    "Only management tokens may register jobs",
    became("RejectJobRegistration", true),
  ),
  signal(
    "scheduler.accepts_jobs",
    "INFO",
    "Jobs may be registered again",
    all(was("RejectJobRegistration", true), isNow("RejectJobRegistration", false)),
  ),
];

export const LICENSE_SIGNALS: readonly Signal[] = [
  signal("license.changed", "INFO", "The license, or when it ends, is another", isUpdate),
  signal("license.terminated", "ERROR", "The license has ended", became("Terminated", true)),
];

function buildOf(server: JsonObject): string | undefined {
  const build = inside(server, "Tags", "build");
  return typeof build === "string" ? build : undefined;
}

function isUpdate({ before, after }: Transition): boolean {
  return before !== undefined && after !== undefined;
}
