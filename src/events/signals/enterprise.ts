import { lifeOf } from "./life.ts";
import type { Signal } from "./signal.ts";

export const QUOTA_SIGNALS: readonly Signal[] = lifeOf("quota", "A quota");

export const SENTINEL_POLICY_SIGNALS: readonly Signal[] = lifeOf("sentinel_policy", "A Sentinel policy");

export const RECOMMENDATION_SIGNALS: readonly Signal[] = lifeOf("recommendation", "A recommendation");
