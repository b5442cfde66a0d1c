import type { LogEntry } from "../../schemas/draft.ts";
import { withoutMembers } from "../../schemas/json-members.ts";
import type { Encode } from "../connection/sink.ts";
import type { Payload } from "../../schemas/subscription-schema.ts";

const LEFT_OUT = {
  patch: new Set(["after", "before"]),
  thin: new Set(["after", "before", "changes", "changesTruncated", "spec", "log", "node"]),
} as const;

/** Texts that were cut already, by the event itself, for all subscribers that get this very entry. */
const CUT_TEXTS = {
  patch: new WeakMap<Projectable, string>(),
  thin: new WeakMap<Projectable, string>(),
} as const;

type Projectable = Pick<LogEntry, "op" | "json">;

/** The text of an event for a subscriber: made at most once per event and payload. Control events stay whole. */
export function payloadText(entry: Projectable, payload: Payload): string {
  if (payload === "full" || entry.op === null) return entry.json;
  const texts = CUT_TEXTS[payload];
  let text = texts.get(entry);
  if (text === undefined) {
    text = withoutMembers(entry.json, "data", LEFT_OUT[payload]);
    texts.set(entry, text);
  }
  return text;
}

/** How an event goes out: what of it, and how that is framed. One object for each, so that what was framed is found. */
export interface Form {
  readonly encode: Encode;
  readonly textOf: (entry: Projectable) => string;
}

const FORMS = new WeakMap<Encode, Map<Payload, Form>>();

export function formOf(encode: Encode, payload: Payload): Form {
  const forms = FORMS.get(encode) ?? new Map<Payload, Form>();
  FORMS.set(encode, forms);
  const form = forms.get(payload) ?? { encode, textOf: (entry) => payloadText(entry, payload) };
  forms.set(payload, form);
  return form;
}
