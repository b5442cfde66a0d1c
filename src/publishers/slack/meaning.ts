import { z } from "zod";
import type { Refusal, SendResult } from "../delivery/destination.ts";
import { waitOf, type Answer } from "../http-client/answer.ts";
import { resultOf } from "../http-client/status-result.ts";

const FORBIDDEN = [
  "not_authed",
  "invalid_auth",
  "account_inactive",
  "token_revoked",
  "token_expired",
  "missing_scope",
  "no_permission",
  "not_allowed_token_type",
  "access_denied",
  "org_login_required",
  "restricted_action",
  "ekm_access_denied",
];
const CONFIG = [
  "channel_not_found",
  "not_in_channel",
  "is_archived",
  "channel_type_not_supported",
  "team_not_found",
];
const PASSING = [
  "ratelimited",
  "rate_limited",
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
  "message_limit_exceeded",
];
/** The message of the group is gone, or too old to be changed. */
const GONE_MESSAGE = new Set([
  "message_not_found",
  "cant_update_message",
  "edit_window_closed",
  "thread_not_found",
]);

const REFUSALS: ReadonlyMap<string, Refusal> = new Map([
  ...FORBIDDEN.map((name) => [name, "forbidden"] as const),
  ...CONFIG.map((name) => [name, "config"] as const),
]);

const answerSchema = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  channel: z.string().optional(),
  ts: z.string().optional(),
});
type Said = z.infer<typeof answerSchema>;

/** What the answer of the Web API says; `isGone`: of a message that cannot be changed any more. */
export interface Meaning {
  readonly result: SendResult;
  readonly said?: Said;
  readonly isGone?: true;
}

/** An answer of 200 may say that it was refused. */
export function meaningOf(answer: Answer): Meaning {
  const result = resultOf(answer);
  if (result.outcome !== "ok") return { result };
  const said = saidBy(answer.text);
  if (said === undefined)
    return { result: { outcome: "retry", reason: "it answered 200 with something else than JSON of Slack" } };
  if (said.ok) return { result, said };
  const error = said.error ?? "unknown_error";
  const reason = `it answered ${error}`;
  if (GONE_MESSAGE.has(error)) return { result: { outcome: "refused", why: "poison", reason }, isGone: true };
  if (PASSING.includes(error)) return { result: { outcome: "retry", reason, ...waitOf(answer) } };
  return { result: { outcome: "refused", why: REFUSALS.get(error) ?? "poison", reason } };
}

function saidBy(text: string): Said | undefined {
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
