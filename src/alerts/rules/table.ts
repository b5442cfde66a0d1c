import { FEED_RULES } from "./feed-rules.ts";
import { JOB_RULES } from "./job-rules.ts";
import { NODE_RULES } from "./node-rules.ts";
import type { AnyRule } from "./rule.ts";

/** Every rule there is, in the order of docs/alerts.md. */
export const RULES: readonly AnyRule[] = [...JOB_RULES, ...NODE_RULES, ...FEED_RULES];
