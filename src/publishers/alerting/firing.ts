import type { AlertFold } from "../../alerts/fold.ts";
import { render } from "../../alerts/render.ts";
import type { RuleSet } from "../../alerts/rules/rule-set.ts";
import type { RuleFacts } from "../../alerts/rules/rule.ts";
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
  const shown = (alert: Alert): AlertJson[] => {
    const rule = rules.get(alert.rule);
    return rule === undefined ? [] : [renderedOnce(alert, rule, shared)];
  };
  return {
    open: fold.open.flatMap(shown),
    ended: fold.ended.slice(-MAX_ENDED).toReversed().flatMap(shown),
  };
}

/** Whether they are the same alerts, in the same words. */
export function isSameView(a: View, b: View): boolean {
  return isSameList(a.open, b.open) && isSameList(a.ended, b.ended);
}

/** Objects of `viewOf` are the same where what they say is. */
function isSameList(a: readonly AlertJson[], b: readonly AlertJson[]): boolean {
  return a.length === b.length && a.every((alert, place) => alert === b[place]);
}

/** What was made of an alert, and of what. */
interface Rendered {
  readonly from: Alert;
  readonly rule: RuleFacts;
  readonly shared: Readonly<Record<string, string>>;
  readonly json: AlertJson;
}

const rendered = new WeakMap<Alert, Rendered>();

/** An alert changes in place; most do not between two looks, and some only to the same. */
function renderedOnce(alert: Alert, rule: RuleFacts, shared: Rendered["shared"]): AlertJson {
  const former = rendered.get(alert);
  if (former?.rule === rule && former.shared === shared && isUnchanged(former.from, alert))
    return former.json;
  const now = render(alert, rule, shared);
  const isSame = former !== undefined && JSON.stringify(former.json) === JSON.stringify(now);
  const json = isSame ? former.json : now;
  rendered.set(alert, { from: { ...alert }, rule, shared, json });
  return json;
}

const CHANGING = [
  "state",
  "firedAt",
  "endsAt",
  "kept",
  "reason",
  "count",
  "details",
  "evidence",
  "lastEventAt",
] as const satisfies readonly (keyof Alert)[];

function isUnchanged(before: Alert, now: Alert): boolean {
  return CHANGING.every((field) => before[field] === now[field]);
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
