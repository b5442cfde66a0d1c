import { originalText, undoChanges, type JsonChange } from "nomad-changefeed-client";
import { api } from "../../feed/api.ts";
import { factsOf, isChange, type EventFacts, type FeedItem } from "../../feed/event-facts.ts";
import { parseExact } from "../../words/exact-json.ts";
import { partsOf } from "../../words/names.ts";

/** An event with all that is known of it, to the last digit. */
export interface OpenEvent {
  readonly event: FeedItem;
  readonly facts: EventFacts;
  /** As the bridge sent it. */
  readonly text: string;
  readonly changes: readonly JsonChange[];
  /** Changes that were left out for size, and cannot be had. */
  readonly changesLeftOut: number;
  /** The object before; undefined where there was none, or where it is not known. */
  readonly before: unknown;
  readonly after: unknown;
  /** JSON Pointers within `data`. */
  readonly redacted: readonly string[];
  /** `evaluations/default/…` that led to it, as far as the object says. */
  readonly evaluation: string | undefined;
  /** Whether its object came apart from it. */
  readonly wasLarge: boolean;
}

interface ExactData {
  readonly changes?: readonly JsonChange[];
  readonly changesTruncated?: number;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly redacted?: readonly string[];
}

/** @throws RequestFailed */
export async function readOpenEvent(cursor: string, gone: AbortSignal): Promise<OpenEvent> {
  const event = await api(gone).event(cursor);
  const text = originalText(event);
  const wasLarge = "dataref" in event && event.dataref !== undefined;
  const data = wasLarge ? await wholeData(cursor, gone) : (parseExact(text) as { data: ExactData }).data;
  return { event, facts: factsOf(event), text, wasLarge, ...contentsOf(event, data) };
}

function contentsOf(event: FeedItem, data: ExactData) {
  const { changes = [], changesTruncated = 0, before, after, redacted = [] } = data;
  return {
    changes,
    changesLeftOut: changesTruncated,
    before: before ?? beforeOf(data),
    after,
    redacted,
    evaluation: isChange(event) ? evaluationOf(event.subject, after ?? before ?? {}) : undefined,
  };
}

/** The changes undone, where all of them are there. */
function beforeOf({ after, changes = [], changesTruncated = 0 }: ExactData): unknown {
  if (after === undefined || changes.length === 0 || changesTruncated > 0) return undefined;
  try {
    return undoChanges(after, changes);
  } catch {
    // A redacted name can make them unfit for each other: better nothing than something wrong.
    return undefined;
  }
}

function evaluationOf(subject: string, stub: Readonly<Record<string, unknown>>): string | undefined {
  const { resource, namespace } = partsOf(subject);
  if (resource === "evaluations") return subject;
  const id = stub["EvalID"];
  return typeof id === "string" && id !== "" ? `evaluations/${namespace}/${id}` : undefined;
}

async function wholeData(cursor: string, gone: AbortSignal): Promise<ExactData> {
  const data = await api(gone).data(cursor);
  return parseExact(originalText(data)) as ExactData;
}
