/** Where a span stands in its trace, as W3C Trace Context names it. */
export interface SpanContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
}

/** Of a trace that is recorded: `00-<trace>-<span>-01`. */
export const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/;

export function traceparentOf({ traceId, spanId }: SpanContext): string {
  return `00-${traceId}-${spanId}-01`;
}

/** Undefined where it names no recorded span. */
export function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

/** The attribute of an event's envelope, which stands before its data. */
export function traceparentIn(json: string): string | undefined {
  const at = json.indexOf('"traceparent":"');
  if (at === -1 || at > json.indexOf('"data":')) return undefined;
  return json.slice(at + 15, at + 15 + 55);
}
