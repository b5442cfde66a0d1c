/** Texts, numbers and truths by their names; what is undefined is left out. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  /** What the time is for: work of this process, a request of it to another, or handing messages over. Default: internal. */
  readonly kind?: "internal" | "client" | "producer";
  /** By the clock's `elapsed`, also before now. Default: now. */
  readonly beganAtMs?: number;
  readonly attributes?: SpanAttributes;
}

/** What went wrong: a stable code, and words for people. */
export interface SpanError {
  readonly code: string;
  readonly message: string;
}

/** A part of a trace that is recorded. It is sent once it has ended, and never holds up who ends it. */
export interface TraceSpan {
  /** As W3C Trace Context writes it: what others go on from. */
  readonly traceparent: string;
  child(name: string, options?: SpanOptions): TraceSpan;
  set(attributes: SpanAttributes): void;
  /** Once. `atMs`: as `beganAtMs`. */
  end(outcome?: { readonly error?: SpanError; readonly atMs?: number }): void;
}

/** Records traces of one feed. Whoever has none records nothing. */
export interface Tracer {
  /** A trace of its own; undefined where this one is not among those that are recorded. */
  begin(name: string, options?: SpanOptions): TraceSpan | undefined;
  /**
   * A span for what comes of others, of whom each may be recorded (`traceparents`) or not: in their trace where it is one,
   * and else in a trace of its own, with links to them. Undefined where none is recorded.
   */
  follow(name: string, traceparents: Iterable<string>, options?: SpanOptions): TraceSpan | undefined;
}

/** Does the work, and ends the span when it ends, with the error where it fails. */
export async function within<T>(span: TraceSpan | undefined, work: () => Promise<T>): Promise<T> {
  if (span === undefined) return work();
  try {
    const result = await work();
    span.end();
    return result;
  } catch (error) {
    span.end({ error: spanErrorOf(error) });
    throw error;
  }
}

/** An error's code, and its class where it has none. */
export function spanErrorOf(error: unknown): SpanError {
  if (!(error instanceof Error)) return { code: "unknown", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return { code, message: error.message };
}
