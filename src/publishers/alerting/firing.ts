import type { AlertFold } from "../../alerts/fold.ts";
import { render } from "../../alerts/render.ts";
import type { RuleSet } from "../../alerts/rules/rule-set.ts";
import type { Alert } from "../../alerts/alert.ts";
import type { FeedLog } from "../../feed/log.ts";
import { alertListSchema, type AlertJson, type AlertList } from "../../schemas/alert-schema.ts";
import { readPartedText } from "./parted-text.ts";

/** The document, in parts, that says what fires: what everybody is answered who asks. */
export const FIRING_DOCUMENT = "alerts/firing";

const MAX_ENDED = 500;

/** What fires, what may fire soon, and what ended lately. */
export interface View {
  readonly open: readonly AlertJson[];
  /** Newest first. */
  readonly ended: readonly AlertJson[];
}

/** `shared`: labels of the whole feed. */
export function viewOf(
  fold: Pick<AlertFold, "open" | "ended">,
  rules: RuleSet,
  shared: Readonly<Record<string, string>>,
): View {
  const rendered = (alert: Alert): AlertJson[] => {
    const rule = rules.get(alert.rule);
    return rule === undefined ? [] : [render(alert, rule, shared)];
  };
  return {
    open: fold.open.flatMap(rendered),
    ended: fold.ended.slice(-MAX_ENDED).toReversed().flatMap(rendered),
  };
}

/** What the log says fires; null where nobody has looked yet. */
export async function readFiring(log: Pick<FeedLog, "documents">): Promise<AlertList | null> {
  const text = await readPartedText(FIRING_DOCUMENT, log.documents);
  return text === undefined ? null : parseFiring(text);
}

/** Null where another version wrote it, in other words. */
export function parseFiring(text: string): AlertList | null {
  const parsed = alertListSchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : null;
}
