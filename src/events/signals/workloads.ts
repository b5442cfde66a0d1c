import { lifeOf } from "./life.ts";
import { signal, type Signal } from "./signal.ts";
import { all, appeared, isNow, vanished, was } from "./transition.ts";

export const NODE_POOL_SIGNALS: readonly Signal[] = lifeOf("node_pool", "A node pool");

export const SERVICE_SIGNALS: readonly Signal[] = [
  signal("service.registered", "INFO", "The first instance of a service came", appeared()),
  signal("service.gone", "INFO", "The last instance of the service went", vanished()),
];

/** What a variable holds is not read: that it was written shows in its index. */
export const VARIABLE_SIGNALS: readonly Signal[] = lifeOf("variable", "A variable");

export const SCALING_POLICY_SIGNALS: readonly Signal[] = [
  ...lifeOf("scaling_policy", "A scaling policy"),
  signal(
    "scaling_policy.disabled",
    "INFO",
    "It does not scale any more",
    all(was("Enabled", true), isNow("Enabled", false)),
  ),
  signal(
    "scaling_policy.enabled",
    "INFO",
    "It scales again",
    all(was("Enabled", false), isNow("Enabled", true)),
  ),
];
