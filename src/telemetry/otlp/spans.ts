import type { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { SpanContext } from "../../schemas/traceparent.ts";
import type { SpanAttributes, SpanError, SpanOptions } from "../tracing.ts";
import { FixedResource, hrTimeOfMs, INSTRUMENTATION } from "./resource.ts";

/** What OpenTelemetry's library writes a span from. */
export type ReadableSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

/** A span that has ended. */
export interface EndedSpan {
  readonly name: string;
  readonly kind: NonNullable<SpanOptions["kind"]>;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly links: readonly SpanContext[];
  /** Ms since 1970. */
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  readonly attributes: SpanAttributes;
  readonly error: SpanError | undefined;
}

const KINDS = { internal: 0, client: 2, producer: 3 } as const;
const STATUS = { unset: 0, error: 2 } as const;
const SAMPLED = 1;
/** A receiver may name a thing in a sentence; a page of it belongs in the log. */
const MOST_SAID = 300;

/** `resource`: of the process. */
export function readableSpan(span: EndedSpan, resource: FixedResource): ReadableSpan {
  const { name, kind, context, parent, links, beganAtMs, endedAtMs, error } = span;
  const own = { ...context, traceFlags: SAMPLED };
  return {
    name,
    kind: KINDS[kind],
    spanContext: () => own,
    ...(parent && { parentSpanContext: { ...parent, traceFlags: SAMPLED } }),
    startTime: hrTimeOfMs(beganAtMs),
    endTime: hrTimeOfMs(endedAtMs),
    duration: hrTimeOfMs(endedAtMs - beganAtMs),
    status:
      error === undefined
        ? { code: STATUS.unset }
        : { code: STATUS.error, message: error.message.slice(0, MOST_SAID) },
    attributes: attributesOf(span),
    links: links.map((link) => ({ context: { ...link, traceFlags: SAMPLED } })),
    events: [],
    ended: true,
    resource,
    instrumentationScope: INSTRUMENTATION,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function attributesOf({ attributes, error }: EndedSpan): ReadableSpan["attributes"] {
  const all: SpanAttributes = { ...attributes, "error.type": error?.code };
  return Object.fromEntries(
    Object.entries(all).filter(
      (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
    ),
  );
}
