import { changeType, type Aspect, type EventDraft, type Op } from "../schemas/draft.ts";
import { DATA_SCHEMAS, envelopeHead } from "../schemas/envelope-schema.ts";
import { resourceBlock, type ChangeData, type Enrichment } from "../schemas/event-schema.ts";
import type { JsonObject } from "../schemas/json.ts";
import { subjectOf, type ObjectRef } from "../schemas/resources.ts";
import type { Severity } from "../schemas/severity.ts";
import type { EventContext } from "./context.ts";
import { dataText, DEFAULT_MAX_EVENT_BYTES, fitData, type DataParts } from "./data.ts";

interface EventParts
  extends
    Pick<DataParts, "changes" | "before" | "after" | "rev" | "observed">,
    Pick<ChangeData, "version" | "explanation"> {
  readonly op: Op;
  readonly ref: ObjectRef;
  /** Says of the object what its relations are. */
  readonly stub: JsonObject;
  readonly id: string;
  readonly time: string;
  readonly aspect: Aspect;
  readonly signals: readonly string[];
  readonly severity: Severity;
  readonly found: Enrichment;
  readonly context: EventContext;
}

/** The event about an object, serialised, of which no more has to be found out. */
export function assembled(event: EventParts): EventDraft {
  const { op, ref, stub, id, time, aspect, signals, severity, version, explanation, context } = event;
  const { actor, ...beside } = event.found;
  const { changes, before, after, rev, observed } = event;
  const resource = resourceBlock(ref, stub);
  const facts = { id, type: changeType(ref.resource, op), time, severity };
  const head = envelopeHead({
    ...facts,
    source: context.source,
    subject: subjectOf(ref),
    dataschema: DATA_SCHEMAS.change,
    recordedtime: context.observation.observedAt,
    traceparent: context.traceparent,
  });
  const parts: DataParts = {
    lead: {
      op,
      aspect,
      signals,
      resource,
      ...(version !== undefined && { version }),
      ...(actor && { actor }),
      ...(explanation !== undefined && { explanation }),
    },
    beside,
    changes,
    before,
    after,
    rev,
    observed,
  };
  const whole = dataText(parts);
  const maxBytes = context.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES;
  const fitted = fitData(parts, whole, maxBytes - Buffer.byteLength(head));
  return {
    ...facts,
    resource: ref.resource,
    namespace: ref.namespace,
    key: ref.key,
    op,
    aspect,
    signals,
    job: resource.job ?? null,
    node: resource.node ?? null,
    head,
    tail: `"data":${fitted}}`,
    overflow: fitted === whole ? null : whole,
  };
}
