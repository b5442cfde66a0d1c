import type { JsonObject } from "../../schemas/json.ts";
import { lifeOf } from "./life.ts";
import { signal, type Signal } from "./signal.ts";
import {
  all,
  appeared,
  became,
  clocked,
  countOf,
  isNow,
  lacks,
  turned,
  vanished,
  was,
  type Predicate,
} from "./transition.ts";

export const CSI_VOLUME_SIGNALS: readonly Signal[] = [
  signal("csi_volume.registered", "INFO", "A CSI volume that was not there before", appeared()),
  signal(
    "csi_volume.unschedulable",
    "WARN",
    "Nothing that wants the volume can be placed: its plugin is not healthy",
    became("Schedulable", false),
  ),
  signal(
    "csi_volume.schedulable",
    "INFO",
    "The volume can be used again",
    all(was("Schedulable", false), isNow("Schedulable", true)),
  ),
  signal(
    "csi_volume.exhausted",
    "WARN",
    "The plugin had no room for another claim of the volume",
    clocked("ResourceExhausted"),
  ),
  signal("csi_volume.gone", "INFO", "The volume was deregistered", vanished()),
];

export const CSI_PLUGIN_SIGNALS: readonly Signal[] = [
  signal("csi_plugin.registered", "INFO", "A CSI plugin that was not there before", appeared()),
  signal(
    "csi_plugin.unhealthy",
    "WARN",
    "Fewer of the plugin's controllers or nodes are healthy than there should be",
    turned(isShort),
  ),
  signal("csi_plugin.healthy", "INFO", "All of it is healthy again", recovered(isShort)),
  signal("csi_plugin.gone", "INFO", "Nothing of the plugin is left", vanished()),
];

export const HOST_VOLUME_SIGNALS: readonly Signal[] = [
  ...lifeOf("host_volume", "A dynamic host volume"),
  signal("host_volume.ready", "INFO", "The volume can be used", became("State", "ready")),
  signal(
    "host_volume.unavailable",
    "ERROR",
    "The volume cannot be used: its node is away",
    became("State", "unavailable"),
  ),
];

export const HOST_VOLUME_CLAIM_SIGNALS: readonly Signal[] = [
  signal("host_volume_claim.created", "INFO", "A group of a job keeps a volume for itself", appeared()),
  signal("host_volume_claim.released", "INFO", "The group gave the volume back", vanished()),
];

function isShort(plugin: JsonObject): boolean {
  return (
    countOf(plugin, "ControllersHealthy") < countOf(plugin, "ControllersExpected") ||
    countOf(plugin, "NodesHealthy") < countOf(plugin, "NodesExpected")
  );
}

function recovered(isBad: (stub: JsonObject) => boolean): Predicate {
  return ({ before, after }) =>
    before !== undefined && after !== undefined && isBad(before) && lacks(isBad)(after);
}
